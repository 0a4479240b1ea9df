#include "resist/model/unfolded_convolution.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "resist/core/error.h"
#include "resist/model/convolution_parts.h"
#include "resist/model/unfold.h"

namespace resist {
namespace {

Bf16* bits(const at::Tensor& tensor) {
  return reinterpret_cast<Bf16*>(tensor.data_ptr<at::BFloat16>());
}

// A batch of images, channels last, as a matrix with a row for each pixel.
at::Tensor as_rows(const at::Tensor& images) {
  return images.permute({0, 2, 3, 1}).view({-1, images.size(1)});
}

// One convolution over a batch as products of unfolded patches, a group of images at a time.
class Unfolded {
 public:
  Unfolded(const UnfoldedPlan& plan, std::int64_t batch)
      : plan_(plan),
        batch_(batch),
        memory_(convolution_memory(plan.scratch() / static_cast<std::int64_t>(sizeof(Bf16)), at::kBFloat16)) {}

  at::Tensor forward(const at::Tensor& x, const at::Tensor& weight) const {
    at::Tensor y = images(plan_.outputs, plan_.map.out_height(), plan_.map.out_width());
    const at::Tensor filters = packed(weight);
    for_groups([&](std::int64_t first, std::int64_t count) {
      at::Tensor out = as_rows(y.narrow(0, first, count));
      at::mm_out(out, unfolded(x, first, count), filters.t());
    });
    return y;
  }

  at::Tensor input_gradient(const at::Tensor& weight, const at::Tensor& grad_y) const {
    at::Tensor grad_x = images(plan_.map.channels, plan_.map.height, plan_.map.width);
    const at::Tensor filters = packed(weight);
    for_groups([&](std::int64_t first, std::int64_t count) {
      at::Tensor grad_rows = rows(count);
      at::mm_out(grad_rows, as_rows(grad_y.narrow(0, first, count)), filters);
      each_image(grad_x, first, count, [&](Bf16* image, Bf16* of_image) { fold(plan_.map, of_image, image); });
    });
    return grad_x;
  }

  at::Tensor weight_gradient(const at::Tensor& x, const at::Tensor& grad_y) const {
    const UnfoldedMap& map = plan_.map;
    at::Tensor gradient = at::empty({plan_.outputs, map.channels, map.kernel, map.kernel}, at::kFloat);
    at::Tensor product = filters(1);
    for_groups([&](std::int64_t first, std::int64_t count) {
      at::mm_out(product, as_rows(grad_y.narrow(0, first, count)).t(), unfolded(x, first, count));
      each_filters([&](std::int64_t begin, std::int64_t filters) {
        add_packed(map, filters, bits(product) + begin, first == 0, gradient.data_ptr<float>() + begin);
      });
    });
    return gradient;
  }

 private:
  at::Tensor images(std::int64_t channels, std::int64_t height, std::int64_t width) const {
    return at::empty({batch_, channels, height, width}, at::TensorOptions(at::kBFloat16), kChannelsLast);
  }

  // The scratch's layout: [packed filters] [packed gradient] [rows].
  at::Tensor filters(int index) const {
    const std::int64_t size = plan_.outputs * plan_.map.row();
    return memory_.narrow(0, index * size, size).view({plan_.outputs, plan_.map.row()});
  }
  at::Tensor rows(std::int64_t count) const {
    const std::int64_t pixels = count * plan_.map.out_pixels();
    return memory_.narrow(0, 2 * plan_.outputs * plan_.map.row(), pixels * plan_.map.row())
        .view({pixels, plan_.map.row()});
  }

  at::Tensor packed(const at::Tensor& weight) const {
    at::Tensor result = filters(0);
    each_filters([&](std::int64_t begin, std::int64_t count) {
      pack_filters(plan_.map, count, weight.data_ptr<float>() + begin, bits(result) + begin);
    });
    return result;
  }

  at::Tensor unfolded(const at::Tensor& x, std::int64_t first, std::int64_t count) const {
    each_image(x, first, count, [&](const Bf16* image, Bf16* of_image) { unfold(plan_.map, image, of_image); });
    return rows(count);
  }

  // work(image, its rows), by whichever thread.
  template <typename Work>
  void each_image(const at::Tensor& images, std::int64_t first, std::int64_t count, const Work& work) const {
    const std::int64_t image = plan_.map.pixels() * plan_.map.channels;
    const std::int64_t size = plan_.map.out_pixels() * plan_.map.row();
    Bf16* first_image = bits(images) + first * image;
    Bf16* first_rows = bits(rows(count));
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        work(first_image + i * image, first_rows + i * size);
      }
    });
  }

  // work(where they begin, how many outputs' filters), by whichever thread.
  template <typename Work>
  void each_filters(const Work& work) const {
    at::parallel_for(0, plan_.outputs, 1,
                     [&](std::int64_t begin, std::int64_t end) { work(begin * plan_.map.row(), end - begin); });
  }

  template <typename Work>
  void for_groups(const Work& work) const {
    for (std::int64_t first = 0; first < batch_; first += plan_.group) {
      work(first, std::min(plan_.group, batch_ - first));
    }
  }

  UnfoldedPlan plan_;
  std::int64_t batch_;
  at::Tensor memory_;
};

std::optional<UnfoldedPlan> plan_for(const at::Tensor& x, const at::Tensor& weight, int stride) {
  if (!x.is_cpu() || x.scalar_type() != at::kBFloat16 || weight.size(1) != x.size(1)) {
    return std::nullopt;
  }
  const UnfoldedMap map{.height = static_cast<int>(x.size(2)),
                        .width = static_cast<int>(x.size(3)),
                        .channels = static_cast<int>(x.size(1)),
                        .kernel = static_cast<int>(weight.size(2)),
                        .stride = stride};
  return plan_unfolded(x.size(0), map, static_cast<int>(weight.size(0)));
}

class UnfoldedConvolution : public torch::autograd::Function<UnfoldedConvolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            int stride) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    const auto plan = *plan_for(x, weight, stride);
    return plan.weight_gradient_only ? library_convolution(x, weight, stride).contiguous(kChannelsLast)
                                     : Unfolded(plan, x.size(0)).forward(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const auto stride = static_cast<int>(context->saved_data["stride"].toInt());
    const auto plan = *plan_for(x, weight, stride);
    const at::Tensor grad_y = gradients[0].contiguous(kChannelsLast);
    const Unfolded unfolded(plan, x.size(0));
    const at::Tensor grad_x = plan.weight_gradient_only ? library_input_gradient(x, weight, grad_y, stride)
                                                        : unfolded.input_gradient(weight, grad_y);
    return {grad_x, unfolded.weight_gradient(x, grad_y), {}};
  }

 private:
  static at::Tensor library_input_gradient(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& grad_y,
                                           int stride) {
    const std::int64_t half = weight.size(2) / 2;
    return std::get<0>(at::convolution_backward(grad_y, x, weight.to(x.scalar_type()), at::OptionalIntArrayRef{},
                                                {stride, stride}, {half, half}, {1, 1}, /*transposed=*/false, {0, 0},
                                                /*groups=*/1, {true, false, false}));
  }
};

}  // namespace

at::Tensor convolve_unfolded(const at::Tensor& x, const at::Tensor& weight, int stride) {
  if (!can_unfold(x, weight, stride)) {
    throw Error("this convolution is not worked by unfolding");
  }
  return UnfoldedConvolution::apply(x.contiguous(kChannelsLast), weight, stride);
}

bool can_unfold(const at::Tensor& x, const at::Tensor& weight, int stride) {
  return plan_for(x, weight, stride).has_value();
}

}  // namespace resist
