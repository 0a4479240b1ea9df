#include "resist/data/inflating_file.h"

#include "binary_files.h"
#include "expect_input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

class InflatingFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "file";
};

TEST_F(InflatingFileTest, ReadsPlainAndGzipAlike) {
  const Bytes bytes = idx_images(3, 500, 1000);  // several chunks
  write_bytes(path_, bytes);
  write_gzip(folder_.path() / "zipped", bytes);
  for (const auto& path : {path_, folder_.path() / "zipped"}) {
    InflatingFile file(path);
    Bytes start(16);
    file.read(start);
    EXPECT_EQ(start, Bytes(bytes.begin(), bytes.begin() + 16));
    EXPECT_EQ(file.read_rest(bytes.size() - 16), Bytes(bytes.begin() + 16, bytes.end()));
  }
}

TEST_F(InflatingFileTest, RefusesWhatCannotBeOpened) {
  expect_input_error([&] { InflatingFile file(path_); }, {path_.string(), "No such file"});
  expect_input_error([&] { InflatingFile file(folder_.path()); }, {folder_.path().string(), "not a regular file"});
}

TEST_F(InflatingFileTest, RefusesAPlainFileOfAnotherSize) {
  write_bytes(path_, Bytes(100, 7));
  for (const std::uint64_t promised : {95, 97}) {
    InflatingFile file(path_);
    Bytes start(4);
    file.read(start);
    expect_input_error([&] { file.read_rest(promised); },
                       {path_.string(), "has 100 bytes", std::to_string(promised + 4)});
  }
}

TEST_F(InflatingFileTest, RefusesGzipThatHoldsLessOrMore) {
  write_gzip(path_, Bytes(100, 7));
  InflatingFile shorter(path_);
  expect_input_error([&] { shorter.read_rest(101); }, {path_.string(), "holds 100 bytes", "promises 101"});
  InflatingFile longer(path_);
  expect_input_error([&] { longer.read_rest(99); }, {path_.string(), "more than the 99 bytes"});
}

TEST_F(InflatingFileTest, RefusesAPromiseThatGzipCannotHoldBeforeReadingOn) {
  write_gzip(path_, Bytes(100, 7));
  InflatingFile file(path_);
  Bytes start(4);
  file.read(start);
  expect_input_error([&] { file.read_rest(std::uint64_t{1} << 60); }, {path_.string(), "can hold at most"});
}

TEST_F(InflatingFileTest, StopsInflatingABombAtOneByteMoreThanPromised) {
  Bytes bomb(std::size_t{32} << 20, 0);
  write_gzip(path_, bomb);
  // Damage past the first megabytes would be noticed if they were inflated.
  Bytes packed = read_bytes(path_);
  std::fill(packed.begin() + static_cast<std::ptrdiff_t>(packed.size() * 3 / 4), packed.end(), 0xFF);
  write_bytes(path_, packed);
  InflatingFile file(path_);
  expect_input_error([&] { file.read_rest(1000); }, {"more than the 1000 bytes"});
}

TEST_F(InflatingFileTest, RefusesDamagedAndCutGzip) {
  const Bytes bytes = idx_images(3, 50, 100);
  write_gzip(path_, bytes);
  const Bytes packed = read_bytes(path_);

  Bytes wrong_checksum = packed;
  wrong_checksum[packed.size() - 8] ^= 1;
  write_bytes(path_, wrong_checksum);
  InflatingFile damaged(path_);
  expect_input_error([&] { damaged.read_rest(bytes.size()); }, {path_.string(), "incorrect data check"});

  for (const std::size_t size : {packed.size() - 1, packed.size() / 2, std::size_t{3}}) {
    write_bytes(path_, Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)));
    expect_input_error(
        [&] {
          InflatingFile cut(path_);
          cut.read_rest(bytes.size());
        },
        {path_.string()});
  }
}

}  // namespace
}  // namespace resist
