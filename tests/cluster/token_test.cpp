#include "resist/cluster/token.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";

Environment environment(const std::optional<std::string>& token) {
  return [token](const std::string& name) { return name == "RESIST_TOKEN" ? token : std::nullopt; };
}

class TokenFile : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& content, std::filesystem::perms mode = kPrivate) {
    auto path = folder_.path() / "job.token";
    std::ofstream(path) << content;
    std::filesystem::permissions(path, mode);
    return path;
  }
  static constexpr auto kPrivate = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;

 private:
  TemporaryFolder folder_;
};

TEST_F(TokenFile, IsReadBeforeTheEnvironment) {
  EXPECT_EQ(read_token("", environment(std::nullopt)), "");
  EXPECT_EQ(read_token("", environment("")), "");
  EXPECT_EQ(read_token("", environment(kToken)), kToken);
  EXPECT_EQ(read_token(file(kToken + "x\n"), environment(kToken)), kToken + "x");
  EXPECT_EQ(read_token(file(kToken), environment(std::nullopt)), kToken);
}

TEST_F(TokenFile, IsRefusedWhereOthersMayReadOrWriteIt) {
  using std::filesystem::perms;
  for (const auto mode : {perms::group_read, perms::others_read, perms::group_write, perms::others_write}) {
    const auto path = file(kToken, kPrivate | mode);
    const std::string message = input_error([&] { read_token(path, environment(std::nullopt)); });
    EXPECT_TRUE(contains(message, "chmod 600 " + path.string()));
    EXPECT_EQ(message.find(kToken), std::string::npos);
  }
}

TEST_F(TokenFile, IsRefusedWhereItIsMissing) {
  const std::string message = input_error([&] { read_token("nowhere/job.token", environment(kToken)); });
  EXPECT_TRUE(contains(message, "nowhere/job.token"));
}

TEST_F(TokenFile, IsRefusedWithoutSayingTheTokenWhereItIsNoGoodOne) {
  for (const std::string& token : {std::string("secret"), std::string(31, 'x'), std::string(1025, 'x'),
                                   "two words " + kToken, kToken + "\x80", kToken + "\nand more"}) {
    for (const auto& message : {input_error([&] { read_token("", environment(token)); }),
                                input_error([&] { read_token(file(token), environment(std::nullopt)); })}) {
      EXPECT_TRUE(contains(message, "openssl rand -hex 32"));
      EXPECT_EQ(message.find(token), std::string::npos);
    }
  }
  EXPECT_TRUE(contains(input_error([&] { read_token(file("\n"), environment(kToken)); }), "0 characters"));
}

TEST(MakeToken, MakesAGoodOneEachTime) {
  const std::string token = make_token();
  EXPECT_EQ(token.size(), 64U);
  EXPECT_EQ(read_token("", environment(token)), token);
  EXPECT_NE(make_token(), token);
}

}  // namespace
}  // namespace resist
