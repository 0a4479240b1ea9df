#include "comm/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "resist/comm/collectives.h"
#include "resist/comm/exchange.h"
#include "support/workers.h"

namespace resist {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CommunicatorConformance);

namespace {

constexpr std::uint32_t kTag = 7;

// A value that tells worker and place apart.
float value(int worker, std::int64_t index) {
  return static_cast<float>(1000 * (worker + 1) + index % 997) + 0.25F;
}

std::vector<float> values(int worker, std::int64_t count) {
  std::vector<float> result(count);
  for (std::int64_t i = 0; i < count; ++i) {
    result[i] = value(worker, i);
  }
  return result;
}

// ((x_0 + x_1) + x_2 ...) / n
float mean(const std::vector<int>& workers, std::int64_t index) {
  float sum = value(workers[0], index);
  for (std::size_t i = 1; i < workers.size(); ++i) {
    sum += value(workers[i], index);
  }
  return sum / static_cast<float>(workers.size());
}

// A worker's values of segments, and room for the results that it gets.
struct Side {
  std::vector<std::vector<float>> sources;
  std::vector<std::vector<float>> targets;
  std::vector<SegmentMemory> memory;
};

Side side_of(const std::vector<Segment>& segments, int rank) {
  Side side{.sources = std::vector<std::vector<float>>(segments.size()),
            .targets = std::vector<std::vector<float>>(segments.size()),
            .memory = std::vector<SegmentMemory>(segments.size())};
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (std::ranges::count(segments[i].holders, rank) > 0) {
      side.sources[i] = values(rank, segments[i].size);
      side.memory[i].source = side.sources[i].data();
    }
    if (std::ranges::count(segments[i].receivers, rank) > 0) {
      side.targets[i].resize(static_cast<std::size_t>(segments[i].size));
      side.memory[i].target = side.targets[i].data();
    }
  }
  return side;
}

}  // namespace

void CommunicatorConformance::run(int workers, const std::function<void(Communicator&)>& body) const {
  const auto errors = run_workers(GetParam().make(workers, std::chrono::seconds(30)), body);
  for (int rank = 0; rank < workers; ++rank) {
    EXPECT_EQ(errors[rank], "") << "on worker " << rank << " of " << workers;
  }
}

TEST_P(CommunicatorConformance, MessagesOfOneTagArriveInOrderAndManyMayBeInFlight) {
  constexpr int kMessages = 50;
  run(2, [](Communicator& communicator) {
    const int peer = 1 - communicator.rank();
    std::vector<std::vector<float>> sent;
    std::vector<std::vector<float>> received;
    for (int i = 0; i < kMessages; ++i) {
      sent.push_back(values(communicator.rank() + i, 1 + i * 100));
      received.emplace_back(sent.back().size());
    }
    std::vector<std::unique_ptr<Transfer>> transfers;
    for (int i = 0; i < kMessages; ++i) {
      transfers.push_back(communicator.receive(std::as_writable_bytes(std::span(received[i])), peer, kTag));
      transfers.push_back(communicator.send(std::as_bytes(std::span(sent[i])), peer, kTag));
    }
    for (const auto& transfer : transfers) {
      transfer->wait();
    }
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_EQ(received[i], values(peer + i, 1 + i * 100)) << "message " << i;
    }
  });
}

TEST_P(CommunicatorConformance, TagsKeepMessagesApart) {
  run(2, [](Communicator& communicator) {
    const int peer = 1 - communicator.rank();
    const std::vector<float> first = {1};
    const std::vector<float> second = {2};
    const auto send_first = communicator.send(std::as_bytes(std::span(first)), peer, 1);
    const auto send_second = communicator.send(std::as_bytes(std::span(second)), peer, 2);
    std::vector<float> got(2);
    communicator.receive(std::as_writable_bytes(std::span(got).subspan(1)), peer, 2)->wait();
    communicator.receive(std::as_writable_bytes(std::span(got).first(1)), peer, 1)->wait();
    send_first->wait();
    send_second->wait();
    EXPECT_EQ(got, (std::vector<float>{1, 2}));
  });
}

TEST_P(CommunicatorConformance, CountsPayloadPerPeerAndNothingElse) {
  run(3, [](Communicator& communicator) {
    const int to = (communicator.rank() + 1) % 3;
    const int from = (communicator.rank() + 2) % 3;
    std::vector<std::byte> out(100);
    std::vector<std::byte> in(100);
    const auto receiving = communicator.receive(in, from, kTag);
    const auto sending = communicator.send(out, to, kTag);
    sending->wait();
    receiving->wait();
    communicator.barrier();
    EXPECT_EQ(communicator.traffic().sent[to], 100);
    EXPECT_EQ(communicator.traffic().sent[from], 0);
    EXPECT_EQ(communicator.traffic().received[from], 100);
    EXPECT_EQ(communicator.traffic().received[to], 0);
  });
}

TEST_P(CommunicatorConformance, BarrierWaitsForTheLast) {
  for (const int workers : {1, 2, 3, 4, 8}) {
    std::atomic<int> arrived = 0;
    run(workers, [&](Communicator& communicator) {
      for (int round = 1; round <= 3; ++round) {
        ++arrived;
        communicator.barrier();
        EXPECT_GE(arrived.load(), round * workers);
        communicator.barrier();
      }
    });
  }
}

TEST_P(CommunicatorConformance, MeanIsSummedInAscendingOrder) {
  for (const int workers : {1, 2, 3, 4, 8}) {
    for (const std::int64_t count : {1, 7, 1000, 1 << 20}) {
      run(workers, [&](Communicator& communicator) {
        auto mine = values(communicator.rank(), count);
        mean_in_place(communicator, mine, kTag);
        for (std::int64_t i = 0; i < count; ++i) {
          ASSERT_EQ(mine[i], mean(everyone(workers), i)) << i;
        }
      });
    }
  }
}

TEST_P(CommunicatorConformance, ReduceScatterAllGatherAndBroadcast) {
  constexpr std::int64_t kChunk = 1003;
  for (const int workers : {1, 2, 3, 4, 8}) {
    run(workers, [&](Communicator& communicator) {
      const auto mine = values(communicator.rank(), kChunk * workers);
      std::vector<float> chunk(kChunk);
      reduce_scatter_mean(communicator, mine, chunk, kTag);
      for (std::int64_t i = 0; i < kChunk; ++i) {
        ASSERT_EQ(chunk[i], mean(everyone(workers), communicator.rank() * kChunk + i));
      }
      std::vector<float> all(kChunk * workers);
      all_gather(communicator, chunk, all, kTag);
      for (std::int64_t i = 0; i < kChunk * workers; ++i) {
        ASSERT_EQ(all[i], mean(everyone(workers), i));
      }
      const int root = workers - 1;
      auto told = values(communicator.rank(), kChunk);
      broadcast(communicator, told, root, kTag);
      EXPECT_EQ(told, values(root, kChunk));
      EXPECT_EQ(all_gather_value(communicator, communicator.rank() * 3, kTag)[root], root * 3);
      const auto lists = all_gather_lists(
          communicator, std::vector<std::int64_t>(static_cast<std::size_t>(communicator.rank()), -5), kTag);
      for (int worker = 0; worker < workers; ++worker) {
        EXPECT_EQ(lists[worker], std::vector<std::int64_t>(static_cast<std::size_t>(worker), -5));
      }
    });
  }
}

// Segments with every pattern of holders and receivers, in pieces small enough for many waves.
TEST_P(CommunicatorConformance, ExchangesAnySegmentsAsPlanned) {
  for (const int workers : {1, 2, 3, 4}) {
    std::vector<Segment> segments;
    for (unsigned holders = 1; holders < 1U << workers; ++holders) {
      for (unsigned receivers = 0; receivers < 1U << workers; receivers += 3) {
        Segment segment{.size = 5 + static_cast<std::int64_t>(holders * 7 + receivers), .holders = {}, .receivers = {}};
        for (int worker = 0; worker < workers; ++worker) {
          if ((holders >> worker & 1U) != 0) {
            segment.holders.push_back(worker);
          }
          if ((receivers >> worker & 1U) != 0) {
            segment.receivers.push_back(worker);
          }
        }
        segments.push_back(segment);
      }
    }
    const ExchangePlan plan = make_exchange_plan(segments, workers, 4);
    run(workers, [&](Communicator& communicator) {
      const int rank = communicator.rank();
      const Side side = side_of(segments, rank);
      const Traffic before = communicator.traffic();
      exchange(communicator, plan, side.memory, kTag);
      const Traffic planned = plan_traffic(plan)[rank];
      for (int peer = 0; peer < workers; ++peer) {
        EXPECT_EQ(communicator.traffic().sent[peer] - before.sent[peer], planned.sent[peer]);
        EXPECT_EQ(communicator.traffic().received[peer] - before.received[peer], planned.received[peer]);
      }
      for (std::size_t i = 0; i < segments.size(); ++i) {
        for (std::size_t j = 0; j < side.targets[i].size(); ++j) {
          ASSERT_EQ(side.targets[i][j], mean(segments[i].holders, static_cast<std::int64_t>(j)))
              << "segment " << i << ", element " << j << ", worker " << rank << " of " << workers;
        }
      }
    });
  }
}

// Large enough for what 2 and 3 hold alone to go while 0 and 1 collect.
TEST_P(CommunicatorConformance, ResultsMayGoBeforeValues) {
  constexpr std::int64_t kSize = std::int64_t{1} << 21;
  for (const WireFormat format : {WireFormat::float32, WireFormat::int8}) {
    const std::vector<Segment> segments = {
        {.size = 2 * kSize, .holders = {0, 1}, .receivers = {0, 1}, .format = format},
        {.size = 2 * kSize, .holders = {2}, .receivers = {2, 3}, .format = format},
        {.size = 2 * kSize, .holders = {3}, .receivers = {2, 3}, .format = format}};
    const ExchangePlan plan = make_exchange_plan(segments, 4);
    const auto goes_early = [&](const Piece& piece) { return plan.parts[piece.part].owner == 2; };
    ASSERT_TRUE(std::ranges::any_of(plan.steps.front().pieces[2], goes_early));
    std::vector<Side> sides(4);
    run(4, [&](Communicator& communicator) {
      Side& side = sides[communicator.rank()];
      side = side_of(segments, communicator.rank());
      exchange(communicator, plan, side.memory, kTag, 7);
    });
    const float step = format == WireFormat::float32 ? 0.0F : 64.0F;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto& first = sides[segments[i].receivers.front()].targets[i];
      EXPECT_EQ(sides[segments[i].receivers.back()].targets[i], first);
      for (std::int64_t element = 0; element < segments[i].size; ++element) {
        ASSERT_NEAR(first[element], mean(segments[i].holders, element), step) << "segment " << i << ", " << element;
      }
    }
  }
}

TEST_P(CommunicatorConformance, AMeanMayBeWeighted) {
  constexpr std::int64_t kSize = 1000;
  const std::vector<float> weights = {6, 1, 3};
  const auto plan_with = [&](const std::vector<float>& used) {
    return make_exchange_plan({{.size = kSize, .holders = everyone(3), .receivers = everyone(3), .weights = used}}, 3,
                              100);
  };
  run(3, [&](Communicator& communicator) {
    const auto own = values(communicator.rank(), kSize);
    std::vector<float> result(kSize);
    const std::vector<SegmentMemory> memory = {{.source = own.data(), .target = result.data()}};
    exchange(communicator, plan_with(weights), memory, kTag);
    for (std::int64_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(result[i], ((6 * value(0, i) + value(1, i)) + 3 * value(2, i)) / 10) << i;
    }
    exchange(communicator, plan_with({1, 1, 1}), memory, kTag);
    for (std::int64_t i = 0; i < kSize; ++i) {
      ASSERT_EQ(result[i], mean(everyone(3), i)) << i;
    }
  });
}

// A mean over all, one over some, and values from one holder, in pieces that do not divide them.
TEST_P(CommunicatorConformance, EachResultIsHandedOverOnceAndChangingItIsNobodyElsesMatter) {
  constexpr int kWorkers = 3;
  constexpr std::int64_t kSize = 5000;
  for (const WireFormat format : {WireFormat::float32, WireFormat::int8}) {
    const std::vector<Segment> segments = {
        {.size = kSize, .holders = everyone(kWorkers), .receivers = everyone(kWorkers), .format = format},
        {.size = kSize, .holders = {0, 1}, .receivers = everyone(kWorkers), .format = format},
        {.size = kSize, .holders = {1}, .receivers = {0, 1}, .format = format}};
    const ExchangePlan plan = make_exchange_plan(segments, kWorkers, 700);
    std::vector<Side> plain(kWorkers);
    std::vector<Side> changed(kWorkers);
    run(kWorkers, [&](Communicator& communicator) {
      const int rank = communicator.rank();
      plain[rank] = side_of(segments, rank);
      exchange(communicator, plan, plain[rank].memory, kTag, 7);
      const ResultSink change = [&](float* result, std::int64_t size) {
        std::for_each(result, result + size, [&](float& value) { value += static_cast<float>(1 + rank); });
      };
      changed[rank] = side_of(segments, rank);
      for (SegmentMemory& segment : changed[rank].memory) {
        segment.arrived = &change;
      }
      exchange(communicator, plan, changed[rank].memory, kTag, 7);
    });
    for (std::size_t i = 0; i < segments.size(); ++i) {
      for (const int rank : segments[i].receivers) {
        for (std::int64_t element = 0; element < kSize; ++element) {
          ASSERT_EQ(changed[rank].targets[i][element], plain[rank].targets[i][element] + static_cast<float>(1 + rank))
              << "segment " << i << ", worker " << rank << ", element " << element;
        }
      }
    }
  }
}

// Differences from an agreed vector, and values from one holder, in every format; sizes that no chunk divides.
TEST_P(CommunicatorConformance, CompressedExchangesGiveAllTheSameAndLoseNothingForGood) {
  constexpr int kWorkers = 3;
  constexpr std::int64_t kSize = 3000;
  for (const auto& [format, weights] :
       std::vector<std::pair<WireFormat, std::vector<float>>>{{WireFormat::bf16, {}},
                                                              {WireFormat::int8, {}},
                                                              {WireFormat::int6, {}},
                                                              {WireFormat::int4, {}},
                                                              {WireFormat::int6, {1, 4, 3}}}) {
    const ExchangePlan plan =
        make_exchange_plan({{.size = kSize,
                             .holders = everyone(kWorkers),
                             .receivers = everyone(kWorkers),
                             .format = format,
                             .weights = weights},
                            {.size = kSize, .holders = {1}, .receivers = {1, 2}, .format = format},
                            {.size = kSize, .holders = {2}, .receivers = {2}, .format = format}},
                           kWorkers, 256);
    std::vector<std::vector<float>> means(kWorkers);
    std::vector<std::vector<float>> moved(kWorkers);
    std::vector<std::vector<float>> residuals(kWorkers);
    const std::vector<float> agreed(kSize, 2.0F);
    run(kWorkers, [&](Communicator& communicator) {
      const int rank = communicator.rank();
      auto own = values(rank, kSize);
      means[rank].resize(kSize);
      moved[rank].resize(kSize);
      residuals[rank].assign(kSize, static_cast<float>(rank));
      std::vector<SegmentMemory> memory(3);
      memory[0] = {.source = own.data(),
                   .target = means[rank].data(),
                   .reference = agreed.data(),
                   .residual = residuals[rank].data()};
      memory[1] = {.source = rank == 1 ? own.data() : nullptr, .target = rank == 0 ? nullptr : moved[rank].data()};
      std::vector<float> kept(kSize);
      memory[2] = {.source = rank == 2 ? own.data() : nullptr, .target = rank == 2 ? kept.data() : nullptr};
      const Traffic before = communicator.traffic();
      exchange(communicator, plan, memory, kTag, 7);
      const Traffic planned = plan_traffic(plan)[rank];
      for (int peer = 0; peer < kWorkers; ++peer) {
        EXPECT_EQ(communicator.traffic().sent[peer] - before.sent[peer], planned.sent[peer]);
        EXPECT_EQ(communicator.traffic().received[peer] - before.received[peer], planned.received[peer]);
      }
      if (rank == 2) {
        EXPECT_EQ(kept, own) << "what nobody else receives is not rounded";
      }
    });
    EXPECT_EQ(means[1], means[0]);
    EXPECT_EQ(means[2], means[0]);
    EXPECT_EQ(moved[2], moved[1]) << "who keeps a block goes on from what the other one got";
    const double step = format == WireFormat::bf16 ? 16
                                                   : 4096.0 / (format == WireFormat::int8   ? 64
                                                               : format == WireFormat::int6 ? 16
                                                                                            : 4);
    for (std::int64_t i = 0; i < kSize; ++i) {
      double contributions = 0;
      double left_over = 0;
      double total = 0;
      for (int worker = 0; worker < kWorkers; ++worker) {
        const double weight = weights.empty() ? 1 : weights[worker];
        contributions += weight * (value(worker, i) - agreed[i] + worker);
        left_over += weight * residuals[worker][i];
        total += weight;
      }
      ASSERT_NEAR(total * (means[0][i] - agreed[i]) + left_over, contributions, 0.02 * total / kWorkers) << i;
      ASSERT_NEAR(means[0][i] - agreed[i], contributions / total, 2 * step) << i;
      ASSERT_NEAR(moved[1][i], value(1, i), step) << i;
    }
  }
}

// What all agree on may follow each result while others are still under way.
TEST_P(CommunicatorConformance, AReferenceMayBecomeTheResultMeanwhile) {
  constexpr int kWorkers = 3;
  constexpr std::int64_t kSize = 5000;
  const ExchangePlan plan = make_exchange_plan(
      {{.size = kSize, .holders = everyone(kWorkers), .receivers = everyone(kWorkers), .format = WireFormat::int8}},
      kWorkers, 700);
  run(kWorkers, [&](Communicator& communicator) {
    const auto results = [&](bool meanwhile) {
      std::vector<float> reference(kSize, 2.0F);
      std::vector<float> residual(kSize);
      std::vector<float> target(kSize);
      std::vector<float> all;
      const ResultSink follow = [&](const float* result, std::int64_t count) {
        std::copy_n(result, count, reference.begin() + (result - target.data()));
      };
      for (int round = 0; round < 3; ++round) {
        const auto own = values(communicator.rank() + round, kSize);
        const std::vector<SegmentMemory> memory = {{.source = own.data(),
                                                    .target = target.data(),
                                                    .reference = reference.data(),
                                                    .residual = residual.data(),
                                                    .arrived = meanwhile ? &follow : nullptr}};
        exchange(communicator, plan, memory, kTag, static_cast<std::uint64_t>(round));
        reference = target;
        all.insert(all.end(), target.begin(), target.end());
        all.insert(all.end(), residual.begin(), residual.end());
      }
      return all;
    };
    EXPECT_EQ(results(true), results(false));
  });
}

TEST_P(CommunicatorConformance, ADeadPeerIsAnErrorThatNamesIt) {
  const auto errors = run_workers(GetParam().make(2, std::chrono::seconds(20)), [](Communicator& communicator) {
    if (communicator.rank() == 1) {
      throw Error("worker 1 dies");
    }
    std::vector<std::byte> buffer(1000);
    try {
      communicator.receive(buffer, 1, kTag)->wait();
      FAIL() << "received from a dead worker";
    } catch (const CommError& error) {
      EXPECT_EQ(error.peer(), 1);
      EXPECT_EQ(error.worker(), 0);
      EXPECT_EQ(error.operation(), "receive from");
      throw;
    }
  });
  EXPECT_NE(errors[0].find("worker 1"), std::string::npos) << errors[0];
}

TEST_P(CommunicatorConformance, ASilentPeerIsAnErrorAfterTheDeadline) {
  std::atomic<bool> noticed = false;
  const auto errors = run_workers(GetParam().make(2, std::chrono::milliseconds(300)), [&](Communicator& communicator) {
    if (communicator.rank() == 0) {
      std::vector<std::byte> buffer(1000);
      try {
        communicator.receive(buffer, 1, kTag)->wait();
      } catch (const CommError&) {
        noticed = true;
        throw;
      }
    }
    while (!noticed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_TRUE(noticed);
}

}  // namespace resist
