#include "resist/telemetry/history.h"

#include <gtest/gtest.h>

#include "resist/core/error.h"

namespace resist {
namespace {

using nlohmann::json;

TEST(History, EveryKindOfRecordComesBackAsItWas) {
  const std::vector<HistoryRecord> records{
      StartRecord{.round = 3, .workers = 4, .options = {{"epochs", 2}}},
      GenerationRecord{.generation = 2,
                       .round = 5,
                       .members = {0, 2, 3, 4},
                       .lost = {1},
                       .joined = {4},
                       .round_kept = true,
                       .restored = {3, 5},
                       .lost_blocks = {{.block = 1, .rounds = 2}},
                       .next_blocks = {{3}, {5}, {4}, {4}},
                       .seconds = 0.25},
      CommitRecord{.round = 6,
                   .generation = 2,
                   .members = {0, 2},
                   .contributions = {{.worker = 0, .iterations = 3, .batches = {{0, 8, 3}}, .blocks = {1, 2}},
                                     {.worker = 2, .iterations = 0, .batches = {}, .blocks = {}}},
                   .next_blocks = {{3}, {5}},
                   .shared = "0123"}};
  for (const HistoryRecord& record : records) {
    EXPECT_EQ(history_record_from_json(json::parse(to_json(record).dump())), record);
  }
}

TEST(History, ALineThatIsNoRecordIsRefused) {
  for (
      const char* line :
      {R"([])", R"({})", R"({"event":"start"})", R"({"event":"end","round":1})",
       R"({"event":"start","round":"1","workers":2,"options":{}})",
       R"({"event":"commit","round":1,"generation":0,"members":[0],"next_blocks":[],"shared":"","workers":[{"worker":0}]})",
       R"({"event":"commit","round":1,"generation":0,"members":[0],"next_blocks":[],"shared":"","workers":[{"worker":0,)"
       R"("iterations":1,"blocks":[],"batches":[[1,2]]}]})"}) {
    EXPECT_THROW(history_record_from_json(json::parse(line)), InputError) << line;
  }
}

TEST(History, PositionsBecomeRunsAndNoneIsLost) {
  EXPECT_TRUE(to_runs({}).empty());
  EXPECT_EQ(to_runs({7}), (std::vector<BatchRun>{{7, 0, 1}}));
  EXPECT_EQ(to_runs({0, 8, 16, 24}), (std::vector<BatchRun>{{0, 8, 4}}));
  EXPECT_EQ(to_runs({4, 12, 40, 48, 56}), (std::vector<BatchRun>{{4, 8, 2}, {40, 8, 3}}));
  for (const auto& positions : {std::vector<std::int64_t>{5, 3, 1, 1, 1, 100, 0, 4, 8, 9}, {2, 2}, {9, 1, 9, 1}}) {
    std::vector<std::int64_t> again;
    for (const BatchRun& run : to_runs(positions)) {
      for (std::int64_t i = 0; i < run.count; ++i) {
        again.push_back(run.first + i * run.stride);
      }
    }
    EXPECT_EQ(again, positions);
  }
}

}  // namespace
}  // namespace resist
