#include "resist/model/norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "resist/model/norm_kernels.h"

namespace resist {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;
constexpr std::int64_t kRows = 64;       // summed in float32 before they are added in float64
constexpr std::int64_t kStretch = 1024;  // rows that one thread takes at a time

using Row = std::vector<float>;

// The stretches of a batch, by whichever thread: work(stretch, first row, rows).
template <typename Work>
void each_stretch(std::int64_t pixels, const Work& work) {
  at::parallel_for(0, (pixels + kStretch - 1) / kStretch, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t stretch = begin; stretch < end; ++stretch) {
      work(stretch, stretch * kStretch, std::min(kStretch, pixels - stretch * kStretch));
    }
  });
}

// Sums over all rows of what `add(first row, rows, sums)` adds for a few of them; `width` sums, each divided by pixels.
template <typename Add>
Row means_of(std::int64_t pixels, int width, const Add& add) {
  const std::int64_t stretches = (pixels + kStretch - 1) / kStretch;
  std::vector<double> partial(static_cast<std::size_t>(stretches * width));
  each_stretch(pixels, [&](std::int64_t stretch, std::int64_t first, std::int64_t rows) {
    Row sums(static_cast<std::size_t>(width));
    double* total = &partial[static_cast<std::size_t>(stretch * width)];
    for (std::int64_t row = 0; row < rows; row += kRows) {
      std::fill(sums.begin(), sums.end(), 0.0F);
      add(first + row, std::min(kRows, rows - row), sums.data());
      for (int i = 0; i < width; ++i) {
        total[i] += sums[static_cast<std::size_t>(i)];
      }
    }
  });
  Row means(static_cast<std::size_t>(width));
  for (int i = 0; i < width; ++i) {
    double sum = 0;
    for (std::int64_t stretch = 0; stretch < stretches; ++stretch) {
      sum += partial[static_cast<std::size_t>(stretch * width + i)];
    }
    means[static_cast<std::size_t>(i)] = static_cast<float>(sum / static_cast<double>(pixels));
  }
  return means;
}

at::Tensor to_tensor(const Row& row) {
  return at::tensor(row, at::kFloat);
}

Row to_row(const at::Tensor& values) {
  const at::Tensor here = values.to(at::kCPU, at::kFloat).contiguous();
  return {here.data_ptr<float>(), here.data_ptr<float>() + here.numel()};
}

struct Shape {
  explicit Shape(const at::Tensor& x)
      : channels(static_cast<int>(x.size(1))), pixels(x.size(0) * x.size(2) * x.size(3)) {}
  int channels;
  std::int64_t pixels;
};

float* values_of(const at::Tensor& x, float /*type*/) {
  return x.data_ptr<float>();
}

Bf16* values_of(const at::Tensor& x, Bf16 /*type*/) {
  return reinterpret_cast<Bf16*>(x.data_ptr<at::BFloat16>());
}

// Calls work(a value of x's type): float32 or bf16.
template <typename Work>
auto with_type_of(const at::Tensor& x, const Work& work) {
  return x.scalar_type() == at::kBFloat16 ? work(Bf16{}) : work(float{});
}

template <typename Value>
ChannelMoments moments_of(const at::Tensor& x, Value type) {
  const Shape shape(x);
  const auto* values = values_of(x, type);
  ChannelMoments moments;
  moments.mean = means_of(shape.pixels, shape.channels, [&](std::int64_t first, std::int64_t rows, float* sums) {
    add_rows(rows, shape.channels, values + first * shape.channels, sums);
  });
  moments.variance = means_of(shape.pixels, shape.channels, [&](std::int64_t first, std::int64_t rows, float* sums) {
    add_squares(rows, shape.channels, values + first * shape.channels, moments.mean.data(), sums);
  });
  return moments;
}

// Of float32 or bf16, channels last, on the processor.
ChannelMoments moments_of(const at::Tensor& x) {
  return with_type_of(x, [&](auto type) { return moments_of(x, type); });
}

Row inverse_deviation(const ChannelMoments& moments) {
  Row inverse = moments.variance;
  for (float& variance : inverse) {
    variance = static_cast<float>(1 / std::sqrt(variance + kEpsilon));
  }
  return inverse;
}

at::Tensor normalise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool relu, const Row& mean,
                     const Row& inverse) {
  const Shape shape(x);
  const NormChannels norm{.channels = shape.channels,
                          .mean = mean.data(),
                          .inverse_deviation = inverse.data(),
                          .weight = weight.data_ptr<float>(),
                          .bias = bias.data_ptr<float>()};
  at::Tensor y = at::empty(x.sizes(), x.options(), kChannelsLast);
  with_type_of(x, [&](auto type) {
    const auto* values = values_of(x, type);
    auto* result = values_of(y, type);
    each_stretch(shape.pixels, [&](std::int64_t /*stretch*/, std::int64_t first, std::int64_t rows) {
      const std::int64_t offset = first * shape.channels;
      normalise_rows(norm, relu, rows, values + offset, result + offset);
    });
  });
  return y;
}

bool is_ours(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

class BatchNorm : public torch::autograd::Function<BatchNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, bool relu) {
    const ChannelMoments moments = moments_of(x);
    const Row inverse = inverse_deviation(moments);
    at::Tensor y = normalise(x, weight, bias, relu, moments.mean, inverse);
    context->save_for_backward({x, weight, bias, relu ? y : at::Tensor(), to_tensor(moments.mean), to_tensor(inverse)});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor grad_y = gradients[0].contiguous(kChannelsLast);
    return with_type_of(saved[0], [&](auto type) { return backward(saved, grad_y, type); });
  }

 private:
  template <typename Value>
  static torch::autograd::variable_list backward(const torch::autograd::variable_list& saved, const at::Tensor& grad_y,
                                                 Value type) {
    const Shape shape(saved[0]);
    const NormChannels norm{.channels = shape.channels,
                            .mean = saved[4].data_ptr<float>(),
                            .inverse_deviation = saved[5].data_ptr<float>(),
                            .weight = saved[1].data_ptr<float>(),
                            .bias = saved[2].data_ptr<float>()};
    const Value* x = values_of(saved[0], type);
    const Value* y = saved[3].defined() ? values_of(saved[3], type) : nullptr;
    const Value* gradient = values_of(grad_y, type);
    const auto rectified = [&](std::int64_t offset) { return y == nullptr ? nullptr : y + offset; };
    const Row means =
        means_of(shape.pixels, 2 * shape.channels, [&](std::int64_t first, std::int64_t rows, float* sums) {
          const std::int64_t offset = first * shape.channels;
          add_gradients(norm, rows, x + offset, rectified(offset), gradient + offset, sums, sums + shape.channels);
        });
    at::Tensor grad_x = at::empty(saved[0].sizes(), saved[0].options(), kChannelsLast);
    Value* result = values_of(grad_x, type);
    each_stretch(shape.pixels, [&](std::int64_t /*stretch*/, std::int64_t first, std::int64_t rows) {
      const std::int64_t offset = first * shape.channels;
      gradient_rows(norm, means.data(), means.data() + shape.channels, rows, x + offset, rectified(offset),
                    gradient + offset, result + offset);
    });
    const at::Tensor sums = to_tensor(means) * static_cast<double>(shape.pixels);
    return {grad_x, sums.narrow(0, shape.channels, shape.channels).clone(), sums.narrow(0, 0, shape.channels).clone(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool relu) {
  if (is_ours(x)) {
    return BatchNorm::apply(x.contiguous(kChannelsLast), weight, bias, relu);
  }
  const at::Tensor y = at::batch_norm(x, weight, bias, {}, {}, /*training=*/true, /*momentum=*/0.0, kEpsilon,
                                      /*cudnn_enabled=*/true);
  return relu ? y.relu_() : y;
}

at::Tensor batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool relu,
                      const ChannelMoments& statistics) {
  if (is_ours(x)) {
    return normalise(x.contiguous(kChannelsLast), weight, bias, relu, statistics.mean, inverse_deviation(statistics));
  }
  const at::Tensor y = at::batch_norm(x, weight, bias, to_tensor(statistics.mean).to(x.device()),
                                      to_tensor(statistics.variance).to(x.device()), /*training=*/false,
                                      /*momentum=*/0.0, kEpsilon, /*cudnn_enabled=*/true);
  return relu ? y.relu_() : y;
}

ChannelMoments batch_moments(const at::Tensor& x) {
  if (x.is_cpu()) {
    return moments_of(x.to(at::kFloat).contiguous(kChannelsLast));
  }
  const auto [variance, mean] = at::var_mean(x.to(at::kDouble), {0, 2, 3}, /*unbiased=*/false);
  return {.mean = to_row(mean), .variance = to_row(variance)};
}

}  // namespace resist
