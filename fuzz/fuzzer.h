#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "resist/core/error.h"
#include <spdlog/spdlog.h>

namespace resist {

// A fuzzer is one function, fuzz(input): it reads `input` as its reader would, and lets out whatever is not an
// InputError. Everything else that goes wrong is a find.
void fuzz(std::string_view input);

// A folder of this process, in memory where there is such a file system.
inline const std::filesystem::path& fuzz_folder() {
  static const std::filesystem::path folder = [] {
    const std::filesystem::path memory = "/dev/shm";
    const auto root = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    auto own = root / ("resist-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(own);
    return own;
  }();
  return folder;
}

// The file NAME of that folder with this content.
inline std::filesystem::path fuzz_file(const std::string& name, std::string_view content) {
  auto path = fuzz_folder() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace resist

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  spdlog::set_level(spdlog::level::off);
  std::atexit([] { std::filesystem::remove_all(resist::fuzz_folder()); });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    resist::fuzz({reinterpret_cast<const char*>(data), size});
  } catch (const resist::InputError&) {
    return 0;  // refused, as it should be
  }
  return 0;
}
