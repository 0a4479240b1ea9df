#include "resist/cluster/token.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "resist/core/error.h"
#include "resist/core/file.h"

namespace resist {
namespace {

// 128 bits in hexadecimal. Whoever reaches the rendezvous may try tokens against its certificate as fast as they can.
constexpr std::size_t kLeastCharacters = 32;
constexpr std::size_t kMostCharacters = 1024;
constexpr const char* kHowToMake = "make one with: (umask 077; openssl rand -hex 32 > job.token)";

std::string content_of(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::perms mode = fs::status(file, failure).permissions();
  if (!failure && (mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
    throw InputError(fmt::format("--token-file {}: others may read or write it (mode {:04o}); chmod 600 {}",
                                 file.string(), static_cast<unsigned>(mode), file.string()));
  }
  std::string text = read_file(file, kMostCharacters + 2);
  text.erase(text.find_last_not_of("\r\n") + 1);
  return text;
}

}  // namespace

std::string read_token(const std::filesystem::path& file, const Environment& environment) {
  std::string token = file.empty() ? environment(kTokenVariable).value_or("") : content_of(file);
  if (token.empty() && file.empty()) {
    return "";
  }
  const std::string where = file.empty() ? kTokenVariable : fmt::format("--token-file {}", file.string());
  if (token.size() < kLeastCharacters || token.size() > kMostCharacters) {
    throw InputError(fmt::format("{}: the job token has {} characters; it must have {} to {}: {}", where, token.size(),
                                 kLeastCharacters, kMostCharacters, kHowToMake));
  }
  if (!std::ranges::all_of(token, [](char letter) { return letter > ' ' && letter <= '~'; })) {
    throw InputError(
        fmt::format("{}: the job token must be one word of printable ASCII characters; {}", where, kHowToMake));
  }
  return token;
}

std::string make_token() {
  std::array<std::uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(fmt::format("the system gives no random numbers for a job token: {}", system_message(errno)));
  }
  std::string token;
  for (const std::uint8_t byte : bytes) {
    token += fmt::format("{:02x}", byte);
  }
  return token;
}

}  // namespace resist
