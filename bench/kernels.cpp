#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "resist/comm/codec.h"
#include "resist/comm/collectives.h"
#include "resist/comm/in_process.h"
#include "resist/data/augment.h"
#include "resist/data/loader.h"
#include "resist/data/memory_dataset.h"
#include "resist/partition/assignment.h"
#include "resist/train/sgd.h"

// Each benchmark reports what it did in a unit that has a bound: bytes a second beside the copy's, pictures a second
// beside what a worker consumes.

namespace resist {
namespace {

// Elements of an arena: one that fits into a cache, one of preact-small, one of a preact-resnet101 sub-network at S=4.
constexpr std::int64_t kSmallArena = std::int64_t{1} << 14;
constexpr std::int64_t kMiddleArena = std::int64_t{1} << 20;
constexpr std::int64_t kLargeArena = 22'506'148;

// Bytes read and written a second by copying, and by adding in place, which needs no memory that it has not read: the
// faster of both bounds everything that walks through memory once.
void copy(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> from(count, 1.0F);
  std::vector<float> to(count);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), count * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 2 * sizeof(float));
}
BENCHMARK(copy)->Arg(kSmallArena)->Arg(kMiddleArena)->Arg(kLargeArena);

void add(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> from(count, 1.0F);
  std::vector<float> to(count);
  for (auto _ : state) {
    std::transform(to.begin(), to.end(), from.begin(), to.begin(), std::plus<float>());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 3 * sizeof(float));
}
BENCHMARK(add)->Arg(kSmallArena)->Arg(kMiddleArena)->Arg(kLargeArena);

// Reads gradients, momentum and values, writes momentum and values.
void sgd(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> gradients(count, 1e-3F);
  std::vector<float> momentum(count);
  std::vector<float> values(count, 1.0F);
  const SgdOptions options{.lr = 1e-3F, .momentum = 0.9F, .weight_decay = 5e-4F, .nesterov = state.range(1) != 0};
  for (auto _ : state) {
    sgd_step(options, state.range(0), gradients.data(), momentum.data(), values.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 5 * sizeof(float));
}
BENCHMARK(sgd)
    ->ArgNames({"", "nesterov"})
    ->Args({kSmallArena, 0})
    ->Args({kMiddleArena, 0})
    ->Args({kLargeArena, 0})
    ->Args({kLargeArena, 1});

// Float32 values encoded and decoded, bytes of values a second.
void encode_values(benchmark::State& state) {
  const auto format = static_cast<WireFormat>(state.range(0));
  const std::vector<float> values(kMiddleArena, 0.7F);
  std::vector<std::byte> encoded(static_cast<std::size_t>(encoded_size(format, kMiddleArena)));
  for (auto _ : state) {
    encode(format, values, 1, 0, encoded.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * kMiddleArena * static_cast<std::int64_t>(sizeof(float)));
}

void decode_values(benchmark::State& state) {
  const auto format = static_cast<WireFormat>(state.range(0));
  std::vector<float> values(kMiddleArena, 0.7F);
  std::vector<std::byte> encoded(static_cast<std::size_t>(encoded_size(format, kMiddleArena)));
  encode(format, values, 1, 0, encoded.data());
  for (auto _ : state) {
    decode(format, encoded.data(), values);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * kMiddleArena * static_cast<std::int64_t>(sizeof(float)));
}

void wire_formats(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("format");
  for (const WireFormat format : {WireFormat::bf16, WireFormat::int8, WireFormat::int6, WireFormat::int4}) {
    benchmark->Arg(static_cast<int>(format));
  }
}
BENCHMARK(encode_values)->Apply(wire_formats);
BENCHMARK(decode_values)->Apply(wire_formats);

DatasetInfo pictures(int channels, int side) {
  return {.name = "random",
          .channels = channels,
          .height = side,
          .width = side,
          .classes = 10,
          .class_names = {},
          .mean = std::vector<float>(static_cast<std::size_t>(channels), 0.5F),
          .stddev = std::vector<float>(static_cast<std::size_t>(channels), 0.25F)};
}

// Channels and side: of Fashion-MNIST, CIFAR, ImageNet as it is trained on.
void picture_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"channels", "side"})->Args({1, 28})->Args({3, 32})->Args({3, 224});
}

void augment(benchmark::State& state) {
  const DatasetInfo info = pictures(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const PixelTransform transform(info);
  const std::vector<std::uint8_t> pixels(transform.size(), 100);
  std::vector<float> out(transform.size());
  const Augmentation augmentation{.crop_padding = 4, .flip = true};
  std::uint32_t position = 0;
  for (auto _ : state) {
    transform.augment(pixels, augmentation, RandomStream(1, RandomPurpose::augmentation, {.position = position++}),
                      out);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(augment)->Apply(picture_sizes);

// Pictures a second that a worker's loader delivers when nobody trains meanwhile.
void loader(benchmark::State& state) {
  constexpr int kBatch = 32;
  const DatasetInfo info = pictures(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const std::size_t bytes = PixelTransform(info).size();
  const std::size_t count = std::size_t{64 << 20} / bytes;  // more than a cache holds
  const auto dataset = std::make_shared<MemoryDataset>(std::vector<std::uint8_t>(count * bytes, 100),
                                                       std::vector<std::uint8_t>(count, 1),
                                                       PictureSize{info.height, info.width}, info.channels);
  TrainLoader loader(dataset, info, {.crop_padding = 4, .flip = true},
                     {.mode = DataMode::replicated, .worker = 0, .workers = 1, .batch_size = kBatch}, 1, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(loader.next().pixels.data());
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(loader)->Apply(picture_sizes)->UseRealTime();

void dealing(benchmark::State& state) {
  std::int64_t round = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(deal({{.section = 3, .blocks = static_cast<int>(state.range(0))}},
                                  static_cast<int>(state.range(1)), {}, 1, round++));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(dealing)->ArgNames({"blocks", "workers"})->Args({22, 4})->Args({22, 16})->Args({49, 16});

// The mean over workers of 4 MiB each, worker to worker within this process; bytes are payload that one worker sends.
class MeanOverWorkers : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State& state) override {
    if (state.thread_index() == 0) {
      communicators_ = make_in_process_group(state.threads());
    }
  }
  void TearDown(const benchmark::State& state) override {
    if (state.thread_index() == 0) {
      communicators_.clear();
    }
  }

 protected:
  std::vector<std::unique_ptr<Communicator>> communicators_;
};
BENCHMARK_DEFINE_F(MeanOverWorkers, exchange)(benchmark::State& state) {
  std::vector<float> values(kMiddleArena, static_cast<float>(state.thread_index()));
  for (auto _ : state) {
    mean_in_place(*communicators_[static_cast<std::size_t>(state.thread_index())], values, 1);
  }
  const std::int64_t workers = state.threads();
  state.SetBytesProcessed(state.iterations() * kMiddleArena * 2 * (workers - 1) / workers *
                          static_cast<std::int64_t>(sizeof(float)));
}
BENCHMARK_REGISTER_F(MeanOverWorkers, exchange)->Threads(2)->Threads(4)->Threads(8)->Threads(16)->UseRealTime();

}  // namespace
}  // namespace resist
