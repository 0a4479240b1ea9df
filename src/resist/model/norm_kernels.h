#pragma once

#include <cstdint>

#include "resist/model/bf16.h"

namespace resist {

// Batch normalisation over `pixels` rows of `channels` values (a batch, channels last), with a rectifier behind it
// where `relu` is set: the loops over a stretch of rows. Values are float32 or bf16, all else is float32. Sums are of
// few rows at a time; the caller adds them up in float64.
struct NormChannels {
  int channels;
  const float* mean;
  const float* inverse_deviation;  // 1 / sqrt(variance + epsilon)
  const float* weight;
  const float* bias;
};

// sums[c] += x
void add_rows(std::int64_t pixels, int channels, const float* x, float* sums);
void add_rows(std::int64_t pixels, int channels, const Bf16* x, float* sums);
// sums[c] += (x - mean)^2
void add_squares(std::int64_t pixels, int channels, const float* x, const float* mean, float* sums);
void add_squares(std::int64_t pixels, int channels, const Bf16* x, const float* mean, float* sums);
// y = (x - mean) * inverse_deviation * weight + bias
void normalise_rows(const NormChannels& norm, bool relu, std::int64_t pixels, const float* x, float* y);
void normalise_rows(const NormChannels& norm, bool relu, std::int64_t pixels, const Bf16* x, Bf16* y);

// With g the gradient behind the rectifier (`y`: its result; null: there is none) and h = (x - mean) *
// inverse_deviation: sums[c] += g, products[c] += g * h
void add_gradients(const NormChannels& norm, std::int64_t pixels, const float* x, const float* y, const float* grad_y,
                   float* sums, float* products);
void add_gradients(const NormChannels& norm, std::int64_t pixels, const Bf16* x, const Bf16* y, const Bf16* grad_y,
                   float* sums, float* products);
// grad_x = weight * inverse_deviation * (g - mean_gradient - h * mean_product)
void gradient_rows(const NormChannels& norm, const float* mean_gradient, const float* mean_product, std::int64_t pixels,
                   const float* x, const float* y, const float* grad_y, float* grad_x);
void gradient_rows(const NormChannels& norm, const float* mean_gradient, const float* mean_product, std::int64_t pixels,
                   const Bf16* x, const Bf16* y, const Bf16* grad_y, Bf16* grad_x);

}  // namespace resist
