#include "resist/model/norm_kernels.h"

#include <limits>

#include "resist/core/vectorised.h"

namespace resist {
namespace {

// Calls work(offset of the value, channel) for all, channels innermost.
template <typename Work>
RESIST_INLINE void each(std::int64_t pixels, int channels, const Work& work) {
  for (std::int64_t row = 0; row < pixels * channels; row += channels) {
    for (int channel = 0; channel < channels; ++channel) {
      work(row + channel, channel);
    }
  }
}

// Calls work(offset of the value, channel, gradient behind the rectifier); `y`: its result, null where there is none.
template <typename Value, typename Work>
RESIST_INLINE void each_gradient(std::int64_t pixels, int channels, const Value* __restrict y,
                                 const Value* __restrict grad_y, const Work& work) {
  if (y == nullptr) {
    each(
        pixels,
        channels, [=](std::int64_t i, int c) __attribute__((always_inline)) { work(i, c, widened(grad_y[i])); });
  } else {
    each(
        pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
          work(i, c, widened(y[i]) > 0 ? widened(grad_y[i]) : 0.0F);
        });
  }
}

template <typename Value>
RESIST_INLINE void sum_rows(std::int64_t pixels, int channels, const Value* __restrict x, float* __restrict sums) {
  each(
      pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) { sums[c] += widened(x[i]); });
}

template <typename Value>
RESIST_INLINE void sum_squares(std::int64_t pixels, int channels, const Value* __restrict x,
                               const float* __restrict mean, float* __restrict sums) {
  each(
      pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
        const float centred = widened(x[i]) - mean[c];
        sums[c] += centred * centred;
      });
}

template <typename Value>
RESIST_INLINE void normalise(const NormChannels& norm, bool relu, std::int64_t pixels, const Value* __restrict x,
                             Value* __restrict y) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const float* __restrict weight = norm.weight;
  const float* __restrict bias = norm.bias;
  // A value that is not a number stays one: it has to be noticed.
  const float least = relu ? 0.0F : -std::numeric_limits<float>::infinity();
  each(
      pixels, norm.channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
        const float value = (widened(x[i]) - mean[c]) * inverse[c] * weight[c] + bias[c];
        y[i] = rounded_to<Value>(value < least ? least : value);
      });
}

template <typename Value>
RESIST_INLINE void sum_gradients(const NormChannels& norm, std::int64_t pixels, const Value* __restrict x,
                                 const Value* __restrict y, const Value* __restrict grad_y, float* __restrict sums,
                                 float* __restrict products) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const auto add = [=](std::int64_t i, int c, float gradient) __attribute__((always_inline)) {
    sums[c] += gradient;
    products[c] += gradient * ((widened(x[i]) - mean[c]) * inverse[c]);
  };
  each_gradient(pixels, norm.channels, y, grad_y, add);
}

template <typename Value>
RESIST_INLINE void gradients(const NormChannels& norm, const float* __restrict mean_gradient,
                             const float* __restrict mean_product, std::int64_t pixels, const Value* __restrict x,
                             const Value* __restrict y, const Value* __restrict grad_y, Value* __restrict grad_x) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const float* __restrict weight = norm.weight;
  const auto set = [=](std::int64_t i, int c, float gradient) __attribute__((always_inline)) {
    const float normalised = (widened(x[i]) - mean[c]) * inverse[c];
    grad_x[i] =
        rounded_to<Value>(weight[c] * inverse[c] * (gradient - mean_gradient[c] - normalised * mean_product[c]));
  };
  each_gradient(pixels, norm.channels, y, grad_y, set);
}

}  // namespace

RESIST_VECTORISED void add_rows(std::int64_t pixels, int channels, const float* x, float* sums) {
  sum_rows(pixels, channels, x, sums);
}

RESIST_VECTORISED void add_rows(std::int64_t pixels, int channels, const Bf16* x, float* sums) {
  sum_rows(pixels, channels, x, sums);
}

RESIST_VECTORISED void add_squares(std::int64_t pixels, int channels, const float* x, const float* mean, float* sums) {
  sum_squares(pixels, channels, x, mean, sums);
}

RESIST_VECTORISED void add_squares(std::int64_t pixels, int channels, const Bf16* x, const float* mean, float* sums) {
  sum_squares(pixels, channels, x, mean, sums);
}

RESIST_VECTORISED void normalise_rows(const NormChannels& norm, bool relu, std::int64_t pixels, const float* x,
                                      float* y) {
  normalise(norm, relu, pixels, x, y);
}

RESIST_VECTORISED void normalise_rows(const NormChannels& norm, bool relu, std::int64_t pixels, const Bf16* x,
                                      Bf16* y) {
  normalise(norm, relu, pixels, x, y);
}

RESIST_VECTORISED void add_gradients(const NormChannels& norm, std::int64_t pixels, const float* x, const float* y,
                                     const float* grad_y, float* sums, float* products) {
  sum_gradients(norm, pixels, x, y, grad_y, sums, products);
}

RESIST_VECTORISED void add_gradients(const NormChannels& norm, std::int64_t pixels, const Bf16* x, const Bf16* y,
                                     const Bf16* grad_y, float* sums, float* products) {
  sum_gradients(norm, pixels, x, y, grad_y, sums, products);
}

RESIST_VECTORISED void gradient_rows(const NormChannels& norm, const float* mean_gradient, const float* mean_product,
                                     std::int64_t pixels, const float* x, const float* y, const float* grad_y,
                                     float* grad_x) {
  gradients(norm, mean_gradient, mean_product, pixels, x, y, grad_y, grad_x);
}

RESIST_VECTORISED void gradient_rows(const NormChannels& norm, const float* mean_gradient, const float* mean_product,
                                     std::int64_t pixels, const Bf16* x, const Bf16* y, const Bf16* grad_y,
                                     Bf16* grad_x) {
  gradients(norm, mean_gradient, mean_product, pixels, x, y, grad_y, grad_x);
}

}  // namespace resist
