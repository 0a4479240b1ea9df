#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/types.h>

#include "resist/model/convolution.h"

// Forward and backward of one 3x3 convolution of a batch of 32, one thread, as the network works it and as libtorch
// does: float32 in its default format, bf16 channels last, which is its best. Items are floating point operations of
// direct convolution, whoever takes fewer.

namespace resist {
namespace {

constexpr int kBatch = 32;

template <typename Convolution>
void forward_and_backward(benchmark::State& state, at::ScalarType type, at::MemoryFormat format,
                          const Convolution& convolution) {
  at::set_num_threads(1);
  const std::int64_t channels = state.range(0);
  const std::int64_t side = state.range(1);
  const at::Tensor x = at::randn({kBatch, channels, side, side}).to(type).contiguous(format).set_requires_grad(true);
  const at::Tensor weight = at::randn({channels, channels, 3, 3}).set_requires_grad(true);
  const at::Tensor gradient = at::randn({kBatch, channels, side, side}).to(type).contiguous(format);
  for (auto _ : state) {
    convolution(x, weight).backward(gradient);
    x.mutable_grad().reset();
    weight.mutable_grad().reset();
  }
  state.SetItemsProcessed(state.iterations() * 3 * 2 * 9 * channels * channels * side * side * kBatch);
}

at::Tensor own(const at::Tensor& x, const at::Tensor& weight) {
  return convolve(x, weight, 1);
}

at::Tensor library(const at::Tensor& x, const at::Tensor& weight) {
  return at::conv2d(x, weight.to(x.scalar_type()), {}, 1, 1);
}

void convolution(benchmark::State& state) {
  forward_and_backward(state, at::kFloat, at::MemoryFormat::ChannelsLast, own);
}

void libtorch(benchmark::State& state) {
  forward_and_backward(state, at::kFloat, at::MemoryFormat::Contiguous, library);
}

void convolution_bf16(benchmark::State& state) {
  forward_and_backward(state, at::kBFloat16, at::MemoryFormat::ChannelsLast, own);
}

void libtorch_bf16(benchmark::State& state) {
  forward_and_backward(state, at::kBFloat16, at::MemoryFormat::ChannelsLast, library);
}

// Channels and side: around the least that Winograd's algorithm is used for, and the sections of the paper's network.
void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"channels", "side"});
  benchmark->Args({16, 28})->Args({32, 14})->Args({64, 32})->Args({128, 16})->Args({256, 8})->Args({512, 4});
}
BENCHMARK(convolution)->Apply(shapes);
BENCHMARK(libtorch)->Apply(shapes);
BENCHMARK(convolution_bf16)->Apply(shapes);
BENCHMARK(libtorch_bf16)->Apply(shapes);

}  // namespace
}  // namespace resist
