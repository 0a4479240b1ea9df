#include "resist/checkpoint/calibration.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_samples.h"
#include "resist/checkpoint/safetensors.h"
#include "resist/checkpoint/safetensors_header.h"
#include "resist/core/file.h"
#include "resist/model/layout.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRound = 3;

// One block of two is dealt.
Layout sample_layout() {
  return make_layout({.depths = {1, 2}, .width = 4, .partition_sections = {2}});
}

// Of a network with that layout; every value is another.
Calibration sample_calibration() {
  Calibration calibration{.round = kRound,
                          .samples = 50,
                          .scales = {1.0 / 3},
                          .info = {.name = "things",
                                   .channels = 3,
                                   .height = 4,
                                   .width = 5,
                                   .classes = 2,
                                   .class_names = {"a \"b\"", "\xc3\xa9"},
                                   .mean = {0.48F, 0.45F, 0},
                                   .stddev = {0.22F, 1, 0.1F},
                                   .own_sizes = true},
                          .statistics = {}};
  float next = 0;
  for (const auto& [norm, channels] : norm_channels(sample_layout())) {
    ChannelMoments& moments = calibration.statistics[norm];
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      moments.variance.push_back(next);
      next += 0.1F;
      moments.mean.push_back(-next);
    }
  }
  return calibration;
}

void expect_same(const Calibration& read, const Calibration& written) {
  EXPECT_EQ(read.round, written.round);
  EXPECT_EQ(read.samples, written.samples);
  EXPECT_EQ(read.scales, written.scales);
  EXPECT_EQ(read.info.name, written.info.name);
  EXPECT_EQ(read.info.channels, written.info.channels);
  EXPECT_EQ(read.info.input_size(), written.info.input_size());
  EXPECT_EQ(read.info.classes, written.info.classes);
  EXPECT_EQ(read.info.class_names, written.info.class_names);
  EXPECT_EQ(read.info.mean, written.info.mean);
  EXPECT_EQ(read.info.stddev, written.info.stddev);
  EXPECT_EQ(read.info.own_sizes, written.info.own_sizes);
  ASSERT_EQ(read.statistics.size(), written.statistics.size());
  for (const auto& [norm, moments] : written.statistics) {
    ASSERT_TRUE(read.statistics.contains(norm)) << norm;
    EXPECT_EQ(read.statistics.at(norm).mean, moments.mean) << norm;
    EXPECT_EQ(read.statistics.at(norm).variance, moments.variance) << norm;
  }
}

// A run with the checkpoint of a round.
class CalibrationTest : public testing::Test {
 protected:
  // What a calibration's file consists of, besides values.
  struct Content {
    std::vector<TensorSpec> tensors;
    std::map<std::string, std::string> metadata;
  };

  CalibrationTest() { write_sample(run_.path(), kRound); }

  void write(const Calibration& calibration = sample_calibration()) const {
    write_calibration(run_.path(), calibration);
  }
  // The sample's file, changed; all values are 1.
  void write_changed(const std::function<void(Content&)>& change) const {
    write();
    Content content;
    {
      const SafetensorsReader reader(file_);
      content.tensors = reader.tensors();
      content.metadata = reader.metadata();
    }
    change(content);
    SafetensorsWriter writer(file_, content.tensors, content.metadata);
    for (const TensorSpec& tensor : content.tensors) {
      writer.append(std::vector<float>(static_cast<std::size_t>(tensor_bytes(tensor.shape)) / sizeof(float), 1.0F));
    }
    writer.finish();
  }
  std::optional<Calibration> read() const { return read_calibration(run_.path(), kRound); }
  // What the file is refused with; it names the file and what to do.
  std::string refusal() const {
    std::string message = input_error([&] { read(); });
    EXPECT_TRUE(contains(message, "can't use '" + file_.string() + "'"));
    EXPECT_TRUE(contains(message, "'resist calibrate " + run_.path().string() + "'"));
    return message;
  }

  const TemporaryFolder run_;
  const fs::path file_ = run_.path() / "calibration" / "round-000003.safetensors";
};

TEST_F(CalibrationTest, ComesBackAsItWasWritten) {
  EXPECT_FALSE(read().has_value());
  write();
  const auto calibration = read();
  ASSERT_TRUE(calibration.has_value());
  expect_same(*calibration, sample_calibration());
  EXPECT_NO_THROW(check_calibration(*calibration, sample_layout()));
  EXPECT_FALSE(read_calibration(run_.path(), kRound + 1).has_value());
}

TEST_F(CalibrationTest, ANewOneReplacesTheOld) {
  write();
  Calibration other = sample_calibration();
  other.scales = {0.5};
  other.info.class_names.clear();  // they have numbers only
  other.info.classes = 7;
  other.statistics.begin()->second.mean[0] = 100;
  write(other);
  const auto calibration = read();
  ASSERT_TRUE(calibration.has_value());
  expect_same(*calibration, other);
  EXPECT_EQ(names_in(file_.parent_path()), std::vector<std::string>{file_.filename().string()});
}

TEST_F(CalibrationTest, AnotherCheckpointOfTheRoundHasNone) {
  write();
  write_sample(run_.path(), kRound, std::nullopt, /*attempt=*/1);
  {
    const CapturedLog log;
    EXPECT_FALSE(read().has_value());
    EXPECT_TRUE(contains(log.text(), "'" + file_.string() + "' belongs to an earlier checkpoint"));
  }
  write();
  EXPECT_TRUE(read().has_value());
  fs::remove_all(run_.path() / "checkpoints");
  EXPECT_FALSE(read().has_value());
}

TEST_F(CalibrationTest, RefusesOtherMetadata) {
  struct Fault {
    const char* key;
    const char* value;
    const char* reason;
  };
  for (const Fault& fault : {Fault{"format", R"("resist-model")", "it is no calibration"},
                             {"round", "2.5", "not whole"},
                             {"samples", R"("many")", "not whole"},
                             {"scales", "{}", "metadata is not what a calibration's is"},
                             {"scales", R"([0.5, "x"])", "metadata is not what a calibration's is"},
                             {"scales", "[0.5", "not valid JSON"},
                             {"data", "[]", "no JSON object"}}) {
    SCOPED_TRACE(fault.value);
    write_changed([&](Content& content) { content.metadata[fault.key] = fault.value; });
    EXPECT_TRUE(contains(refusal(), fault.reason));
  }
  for (const char* key : {"format", "checkpoint", "round", "samples", "scales", "data"}) {
    write_changed([&](Content& content) { content.metadata.erase(key); });
    EXPECT_TRUE(contains(refusal(), std::string("no \"") + key + "\""));
  }
}

TEST_F(CalibrationTest, RefusesTensorsThatAreNoNorms) {
  write_changed([](Content& content) { content.tensors[0].name = "fc.weight"; });
  EXPECT_TRUE(contains(refusal(), "\"fc.weight\" is no norm's"));
  write_changed([](Content& content) { content.tensors[0].shape.push_back(1); });
  EXPECT_TRUE(contains(refusal(), "is no norm's"));
  write_changed([](Content& content) { content.tensors[0].shape.clear(); });
  EXPECT_TRUE(contains(refusal(), "is no norm's"));
}

TEST_F(CalibrationTest, RefusesNumbersOfAnotherType) {
  write();
  std::string bytes = read_file(file_);
  bytes.replace(bytes.find(R"("F32")"), 5, R"("I32")");
  write_file_atomically(file_, bytes);
  EXPECT_TRUE(contains(refusal(), "only \"F32\" is accepted"));
}

TEST_F(CalibrationTest, RefusesValuesThatAreNoStatistics) {
  const std::vector<std::function<void(ChannelMoments&)>> faults = {
      [](ChannelMoments& moments) { moments.mean[0] = std::numeric_limits<float>::quiet_NaN(); },
      [](ChannelMoments& moments) { moments.variance.back() = std::numeric_limits<float>::infinity(); },
      [](ChannelMoments& moments) { moments.variance[0] = -1; }};
  for (const auto& inflict : faults) {
    Calibration calibration = sample_calibration();
    inflict(calibration.statistics.begin()->second);
    write(calibration);
    EXPECT_TRUE(contains(refusal(), "not finite, or a variance below 0"));
  }
}

TEST_F(CalibrationTest, RefusesAFileThatHasGrownOrIsCutShortAnywhere) {
  write();
  std::ofstream(file_, std::ios::app) << "x";
  refusal();
  for (auto size = fs::file_size(file_) - 1; size-- > 0;) {
    SCOPED_TRACE(size);
    fs::resize_file(file_, size);
    refusal();
  }
}

// What a file lacks shows where it meets the network.
TEST_F(CalibrationTest, TensorsThatAreMissingOrOfOtherSizesDoNotFitTheNetwork) {
  const std::vector<std::function<void(Content&)>> changes = {
      [](Content& content) { content.tensors.erase(content.tensors.begin()); },      // a mean
      [](Content& content) { content.tensors.pop_back(); },                          // a variance
      [](Content& content) { content.tensors.resize(content.tensors.size() - 2); },  // a norm
      [](Content& content) { ++content.tensors.back().shape[0]; }};
  for (const auto& change : changes) {
    write_changed(change);
    const auto calibration = read();
    ASSERT_TRUE(calibration.has_value());
    EXPECT_TRUE(contains(input_error([&] { check_calibration(*calibration, sample_layout()); }),
                         "the calibration of round 3 is of another network"));
  }
}

}  // namespace
}  // namespace resist
