#include "resist/model/convolution.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "resist/model/convolution_parts.h"
#include "resist/model/precision.h"
#include "resist/model/unfolded_convolution.h"
#include "resist/model/winograd.h"

namespace resist {
namespace {

// The images first..first+count-1 of a batch, and the points of as many.
struct Group {
  std::int64_t first;
  std::int64_t count;
};

std::int64_t plane(const WinogradMap& map, const Group& group) {
  return group.count * map.tiles() * map.channels;
}

// Calls work(image, points, plane) for each image of a group, by whichever thread: its values in `images`, and where
// its points begin in `points`.
template <typename Work>
void each_image(const WinogradMap& map, const Group& group, const at::Tensor& images, const at::Tensor& points,
                const Work& work) {
  const std::int64_t image = map.pixels() * map.channels;
  const std::int64_t tiles = map.tiles() * map.channels;
  float* first_image = images.data_ptr<float>() + group.first * image;
  auto* first_points = points.data_ptr<float>();
  at::parallel_for(0, group.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      work(first_image + i * image, first_points + i * tiles, plane(map, group));
    }
  });
}

// The maps of winograd.h.
using ToPoints = void (*)(const WinogradMap&, const float*, float*, std::int64_t);
using FromPoints = void (*)(const WinogradMap&, const float*, std::int64_t, float*);

void to_points(ToPoints transform, const WinogradMap& map, const Group& group, const at::Tensor& images,
               const at::Tensor& points) {
  each_image(map, group, images, points,
             [&](const float* image, float* at, std::int64_t stride) { transform(map, image, at, stride); });
}

void from_points(FromPoints transform, const WinogradMap& map, const Group& group, const at::Tensor& points,
                 const at::Tensor& images) {
  each_image(map, group, images, points,
             [&](float* image, const float* at, std::int64_t stride) { transform(map, at, stride, image); });
}

// One convolution's shapes and its scratch, whose parts lie one behind the other.
class Winograd {
 public:
  Winograd(const WinogradPlan& plan, std::int64_t batch, bool backward)
      : plan_(plan), batch_(batch), memory_(convolution_memory(plan.scratch(backward), at::kFloat)) {}

  at::Tensor forward(const at::Tensor& x, const at::Tensor& weight) {
    at::Tensor y = images(plan_.out);
    const at::Tensor filters = filter_points(0);
    filters_of(weight, filters);
    for_groups([&](const Group& group) {
      const at::Tensor in = in_points(group, 1);
      at::Tensor out = out_points(group, 1);
      to_points(input_to_points, plan_.in, group, x, in);
      at::bmm_out(out, in, filters.transpose(1, 2));
      from_points(output_from_points, plan_.out, group, out, y);
    });
    return y;
  }

  // Gradients of x and of the weight.
  std::pair<at::Tensor, at::Tensor> backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& grad_y) {
    at::Tensor grad_x = images(plan_.in);
    at::Tensor grad_weight = at::empty(weight.sizes(), at::kFloat);
    const at::Tensor filters = filter_points(0);
    at::Tensor grad_filters = filter_points(1);
    filters_of(weight, filters);
    for_groups([&](const Group& group) {
      at::Tensor in = in_points(group, 2);
      const at::Tensor grad_out = out_points(group, 2);
      to_points(input_to_points, plan_.in, group, x, in);
      to_points(output_to_points, plan_.out, group, grad_y, grad_out);
      at::baddbmm_out(grad_filters, grad_filters, grad_out.transpose(1, 2), in, /*beta=*/group.first == 0 ? 0 : 1);
      at::bmm_out(in, grad_out, filters);
      from_points(input_from_points, plan_.in, group, in, grad_x);
    });
    each_filters([&](std::int64_t begin, std::int64_t count) {
      filters_from_points(plan_.in.tile, count, grad_filters.data_ptr<float>() + begin, plan_.filters(),
                          grad_weight.data_ptr<float>() + begin * kFilterSize);
    });
    return {grad_x, grad_weight};
  }

 private:
  static constexpr std::int64_t kFilterSize = 9;

  at::Tensor images(const WinogradMap& map) const {
    return at::empty({batch_, map.channels, map.height, map.width}, at::TensorOptions(at::kFloat), kChannelsLast);
  }

  // The scratch's layout: [filters] [filters' gradients, in a backward pass] [input points] [output points].
  at::Tensor filter_points(int index) const {
    const std::int64_t size = plan_.points() * plan_.filters();
    return memory_.narrow(0, index * size, size).view({plan_.points(), plan_.out.channels, plan_.in.channels});
  }
  at::Tensor map_points(const WinogradMap& map, const Group& group, std::int64_t offset) const {
    const std::int64_t size = plan_.points() * plane(map, group);
    return memory_.narrow(0, offset, size).view({plan_.points(), group.count * map.tiles(), map.channels});
  }
  at::Tensor in_points(const Group& group, int filters) const {
    return map_points(plan_.in, group, filters * plan_.points() * plan_.filters());
  }
  at::Tensor out_points(const Group& group, int filters) const {
    const std::int64_t before = filters * plan_.filters() + plan_.group * plan_.in.tiles() * plan_.in.channels;
    return map_points(plan_.out, group, plan_.points() * before);
  }

  template <typename Work>
  void for_groups(const Work& work) const {
    for (std::int64_t first = 0; first < batch_; first += plan_.group) {
      work(Group{.first = first, .count = std::min(plan_.group, batch_ - first)});
    }
  }

  template <typename Work>
  void each_filters(const Work& work) const {
    const std::int64_t row = plan_.in.channels;
    at::parallel_for(0, plan_.out.channels, 1,
                     [&](std::int64_t begin, std::int64_t end) { work(begin * row, (end - begin) * row); });
  }

  void filters_of(const at::Tensor& weight, const at::Tensor& points) const {
    each_filters([&](std::int64_t begin, std::int64_t count) {
      filters_to_points(plan_.in.tile, count, weight.data_ptr<float>() + begin * kFilterSize,
                        points.data_ptr<float>() + begin, plan_.filters());
    });
  }

  WinogradPlan plan_;
  std::int64_t batch_;
  at::Tensor memory_;
};

std::optional<WinogradPlan> winograd_plan_for(const at::Tensor& x, const at::Tensor& weight, int stride) {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || stride != 1 || weight.size(2) != 3 ||
      weight.size(1) != x.size(1)) {
    return std::nullopt;
  }
  return plan_winograd(x.size(0), static_cast<int>(x.size(1)), static_cast<int>(weight.size(0)),
                       static_cast<int>(x.size(2)), static_cast<int>(x.size(3)));
}

class WinogradConvolution : public torch::autograd::Function<WinogradConvolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight) {
    context->save_for_backward({x, weight});
    return Winograd(*winograd_plan_for(x, weight, 1), x.size(0), false).forward(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor grad_y = gradients[0].contiguous(kChannelsLast);
    auto [grad_x, grad_weight] =
        Winograd(*winograd_plan_for(x, weight, 1), x.size(0), true).backward(x, weight, grad_y);
    return {grad_x, grad_weight};
  }
};

}  // namespace

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, int stride) {
  at::Tensor in = x.contiguous(kChannelsLast);
  if (winograd_plan_for(in, weight, stride)) {
    return WinogradConvolution::apply(in, weight);
  }
  if (has_matrix_units() && can_unfold(in, weight, stride)) {
    return convolve_unfolded(in, weight, stride);
  }
  if (weight.size(2) == 1 && stride > 1) {
    // It looks at these pixels only. oneDNN 2.6 writes out of bounds in the backward pass of a strided 1x1 convolution
    // with fewer than 8 channels, channels last.
    in = in.slice(2, 0, in.size(2), stride).slice(3, 0, in.size(3), stride).contiguous(kChannelsLast);
    stride = 1;
  }
  return library_convolution(in, weight, stride)
      .contiguous(kChannelsLast);  // libtorch can't tell the format of pictures with one channel
}

}  // namespace resist
