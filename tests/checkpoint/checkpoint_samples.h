#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "resist/checkpoint/checkpoint.h"
#include "resist/core/error.h"
#include "support/captured_log.h"

namespace resist {

// The message of the `Failure` that `body` throws.
template <typename Failure, typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Failure& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

inline constexpr std::int64_t kSampleValues = 3000;

// Writes a checkpoint of two parts whose values follow from `round` and `attempt` (stored as samples).
inline void write_sample(const std::filesystem::path& run_dir, std::int64_t round,
                         std::optional<double> accuracy = std::nullopt, std::int64_t attempt = 0) {
  CheckpointState state;
  state.round = round;
  state.samples = attempt;
  state.workers = 4;
  state.block_scale = {0.1};
  state.accuracy = accuracy;
  state.config = {{"seed", 1}};
  CheckpointWriter writer(run_dir, state);
  for (const char* part : {"shared", "blocks"}) {
    SafetensorsWriter& tensors = writer.begin_part(part, {{"values", {kSampleValues}}});
    std::vector<float> values(kSampleValues);
    std::iota(values.begin(), values.end(), static_cast<float>(1000 * round + attempt));
    tensors.append(values);
    writer.finish_part();
  }
  writer.commit();
}

// Checks that the values are those of the checkpoint's own round and attempt.
inline void expect_right_values(const Checkpoint& checkpoint) {
  for (const char* part : {"shared", "blocks"}) {
    std::vector<float> values(kSampleValues);
    checkpoint.part(part).read("values", values);
    const auto first = static_cast<float>(1000 * checkpoint.state().round + checkpoint.state().samples);
    EXPECT_EQ(values.front(), first);
    EXPECT_EQ(values.back(), first + kSampleValues - 1);
  }
}

// The names in a folder, sorted, hidden ones included.
inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace resist
