#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "resist/comm/codec.h"
#include "resist/comm/exchange.h"

namespace resist {
namespace {

TEST(ExchangePlan, CoversEachElementOnceByOneOfItsHolders) {
  const std::vector<Segment> segments = {{.size = 103, .holders = {0, 1, 2}, .receivers = {0, 1, 2}},
                                         {.size = 50, .holders = {2}, .receivers = {0}},
                                         {.size = 7, .holders = {0, 2}, .receivers = {1}}};
  const ExchangePlan plan = make_exchange_plan(segments, 3, 10);
  std::vector<std::vector<int>> covered;
  covered.reserve(segments.size());
  for (const Segment& segment : segments) {
    covered.emplace_back(segment.size);
  }
  for (const SegmentPart& part : plan.parts) {
    EXPECT_EQ(std::ranges::count(segments[part.segment].holders, part.owner), 1);
    for (std::int64_t i = 0; i < part.size; ++i) {
      ++covered[part.segment][part.offset + i];
    }
  }
  for (const auto& segment : covered) {
    EXPECT_EQ(segment, std::vector<int>(segment.size(), 1));
  }
}

TEST(ExchangePlan, MovesNothingThatStaysWithItsOnlyHolder) {
  const ExchangePlan plan = make_exchange_plan({{.size = 100, .holders = {1}, .receivers = {1}}}, 2);
  const Traffic traffic = plan_traffic(plan)[1];
  EXPECT_EQ(std::accumulate(traffic.sent.begin(), traffic.sent.end(), std::int64_t{0}), 0);
}

TEST(ExchangePlan, AMeanOverAllSendsAndReceivesTwiceTheOthersShares) {
  const ExchangePlan plan = make_exchange_plan({{.size = 4000, .holders = {0, 1, 2, 3}, .receivers = {0, 1, 2, 3}}}, 4);
  for (int worker = 0; worker < 4; ++worker) {
    const Traffic traffic = plan_traffic(plan)[worker];
    EXPECT_EQ(std::accumulate(traffic.sent.begin(), traffic.sent.end(), std::int64_t{0}), 2 * 3 * 1000 * 4);
    EXPECT_EQ(traffic.sent, traffic.received);
  }
}

// Bytes from worker to worker in one step.
std::int64_t bytes_in(const ExchangePlan& plan, const Step& step, int from) {
  std::int64_t bytes = 0;
  for (const Piece& piece : step.pieces[from]) {
    bytes += encoded_size(plan.segments[plan.parts[piece.part].segment].format, piece.size);
  }
  return bytes;
}

// 0 and 1 average what 2 and 3 do not have, and those two have to send each other something.
TEST(ExchangePlan, WhatHasOneHolderGoesWhileOthersCollect) {
  constexpr std::int64_t kSize = std::int64_t{1} << 20;
  const std::vector<Segment> segments = {{.size = 2 * kSize, .holders = {0, 1}, .receivers = {0, 1}},
                                         {.size = 2 * kSize, .holders = {2}, .receivers = {3}},
                                         {.size = 2 * kSize, .holders = {3}, .receivers = {2}}};
  const ExchangePlan plan = make_exchange_plan(segments, 4);
  std::int64_t length = 0;
  for (const Step& step : plan.steps) {
    std::int64_t longest = 0;
    for (int from = 0; from < 4; ++from) {
      longest = std::max(longest, bytes_in(plan, step, from));
    }
    length += longest;
  }
  EXPECT_EQ(length, 2 * kSize * 4) << "what each of them sends";
  EXPECT_EQ(bytes_in(plan, plan.steps.front(), 2), kSize * 4);
}

// Every owner sends its result to every receiver, each element once.
void expect_all_results_sent_once(const ExchangePlan& plan) {
  for (int part = 0; part < static_cast<int>(plan.parts.size()); ++part) {
    const SegmentPart& owned = plan.parts[part];
    for (const int receiver : plan.segments[owned.segment].receivers) {
      std::int64_t position = owned.offset;
      for (const Step& step : plan.steps) {
        for (const Piece& piece : step.pieces[owned.owner]) {
          if (piece.part == part && step.to[owned.owner] == receiver) {
            ASSERT_EQ(piece.offset, position);
            position += piece.size;
          }
        }
      }
      ASSERT_EQ(position, receiver == owned.owner ? owned.offset : owned.offset + owned.size)
          << "part " << part << " to " << receiver;
    }
  }
}

std::vector<int> some_workers(int workers, std::mt19937& generator) {
  std::vector<int> some;
  for (int worker = 0; worker < workers; ++worker) {
    if (generator() % 2 == 0) {
      some.push_back(worker);
    }
  }
  return some;
}

TEST(ExchangePlan, AllResultsAreSentOnceWhateverGoesEarly) {
  std::mt19937 generator(1);
  const std::array formats = {WireFormat::float32, WireFormat::bf16, WireFormat::int8, WireFormat::int6,
                              WireFormat::int4};
  int early = 0;
  for (int i = 0; i < 500; ++i) {
    const int workers = 3 + i % 3;
    std::vector<Segment> segments;
    for (int n = 0; n < 8; ++n) {
      Segment segment{.size = 1 + static_cast<std::int64_t>(generator() % (3U << 20U)),
                      .holders = some_workers(workers, generator),
                      .receivers = some_workers(workers, generator),
                      .format = formats[generator() % formats.size()]};
      if (segment.holders.empty() || n % 2 == 0) {
        segment.holders = {static_cast<int>(generator() % static_cast<unsigned>(workers))};
      }
      segments.push_back(segment);
    }
    SCOPED_TRACE(testing::Message() << "plan " << i);
    const ExchangePlan plan = make_exchange_plan(segments, workers);
    ASSERT_NO_FATAL_FAILURE(expect_all_results_sent_once(plan));
    bool values_to_come = false;
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
      for (int from = 0; from < workers; ++from) {
        for (const Piece& piece : step->pieces[from]) {
          const bool value = plan.parts[piece.part].owner != from;
          early += !value && values_to_come ? 1 : 0;
          values_to_come = values_to_come || value;
        }
      }
    }
  }
  EXPECT_GT(early, 0);
}

// Found by a review: what went early was a chunk too much, and the end of what follows was never sent.
TEST(ExchangePlan, WhatWentEarlyTooMuchIsTakenOffOnce) {
  expect_all_results_sent_once(
      make_exchange_plan({{.size = 2'485'002, .holders = {1, 2}, .receivers = {1, 2}, .format = WireFormat::int8},
                          {.size = 2'359'296, .holders = {1, 3}, .receivers = {0}, .format = WireFormat::int8},
                          {.size = 512, .holders = {1, 3}, .receivers = {0}},
                          {.size = 2'359'296, .holders = {3}, .receivers = {0, 1}, .format = WireFormat::int8},
                          {.size = 600'000, .holders = {0}, .receivers = {1, 3}, .format = WireFormat::int8}},
                         4));
}

}  // namespace
}  // namespace resist
