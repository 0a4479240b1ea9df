#include "resist/model/norm_kernels.h"

#include <limits>

#include "resist/core/vectorised.h"

namespace resist {
namespace {

// Calls work(offset of the value, channel) for all, channels innermost.
template <typename Work>
inline __attribute__((always_inline)) void each(std::int64_t pixels, int channels, const Work& work) {
  for (std::int64_t row = 0; row < pixels * channels; row += channels) {
    for (int channel = 0; channel < channels; ++channel) {
      work(row + channel, channel);
    }
  }
}

// Calls work(offset of the value, channel, gradient behind the rectifier); `y`: its result, null where there is none.
template <typename Work>
inline __attribute__((always_inline)) void each_gradient(std::int64_t pixels, int channels, const float* __restrict y,
                                                         const float* __restrict grad_y, const Work& work) {
  if (y == nullptr) {
    each(
        pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) { work(i, c, grad_y[i]); });
  } else {
    each(
        pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
          work(i, c, y[i] > 0 ? grad_y[i] : 0.0F);
        });
  }
}

}  // namespace

RESIST_VECTORISED void add_rows(std::int64_t pixels, int channels, const float* __restrict x, float* __restrict sums) {
  each(
      pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) { sums[c] += x[i]; });
}

RESIST_VECTORISED void add_squares(std::int64_t pixels, int channels, const float* __restrict x,
                                   const float* __restrict mean, float* __restrict sums) {
  each(
      pixels, channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
        sums[c] += (x[i] - mean[c]) * (x[i] - mean[c]);
      });
}

RESIST_VECTORISED void normalise_rows(const NormChannels& norm, bool relu, std::int64_t pixels,
                                      const float* __restrict x, float* __restrict y) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const float* __restrict weight = norm.weight;
  const float* __restrict bias = norm.bias;
  // A value that is not a number stays one: it has to be noticed.
  const float least = relu ? 0.0F : -std::numeric_limits<float>::infinity();
  each(
      pixels, norm.channels, [=](std::int64_t i, int c) __attribute__((always_inline)) {
        const float value = (x[i] - mean[c]) * inverse[c] * weight[c] + bias[c];
        y[i] = value < least ? least : value;
      });
}

RESIST_VECTORISED void add_gradients(const NormChannels& norm, std::int64_t pixels, const float* __restrict x,
                                     const float* __restrict y, const float* __restrict grad_y, float* __restrict sums,
                                     float* __restrict products) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const auto add = [=](std::int64_t i, int c, float gradient) __attribute__((always_inline)) {
    sums[c] += gradient;
    products[c] += gradient * ((x[i] - mean[c]) * inverse[c]);
  };
  each_gradient(pixels, norm.channels, y, grad_y, add);
}

RESIST_VECTORISED void gradient_rows(const NormChannels& norm, const float* __restrict mean_gradient,
                                     const float* __restrict mean_product, std::int64_t pixels,
                                     const float* __restrict x, const float* __restrict y,
                                     const float* __restrict grad_y, float* __restrict grad_x) {
  const float* __restrict mean = norm.mean;
  const float* __restrict inverse = norm.inverse_deviation;
  const float* __restrict weight = norm.weight;
  const auto set = [=](std::int64_t i, int c, float gradient) __attribute__((always_inline)) {
    const float normalised = (x[i] - mean[c]) * inverse[c];
    grad_x[i] = weight[c] * inverse[c] * (gradient - mean_gradient[c] - normalised * mean_product[c]);
  };
  each_gradient(pixels, norm.channels, y, grad_y, set);
}

}  // namespace resist
