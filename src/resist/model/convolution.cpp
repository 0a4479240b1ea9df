#include "resist/model/convolution.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/pages.h"
#include "resist/model/precision.h"
#include "resist/model/unfold.h"
#include "resist/model/winograd.h"

namespace resist {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

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

// Memory that this thread's convolutions share, one at a time. It is kept: among the activations it would leave a hole
// after every convolution.
at::Tensor scratch(std::int64_t size, at::ScalarType type) {
  const std::size_t bytes = static_cast<std::size_t>(size) * c10::elementSize(type);
  thread_local std::optional<Pages> pages;
  if (!pages || pages->bytes() < bytes) {
    pages.reset();
    pages.emplace(bytes);
  }
  return at::from_blob(pages->data(), {size}, type);
}

// One convolution's shapes and its scratch, whose parts lie one behind the other.
class Winograd {
 public:
  Winograd(const WinogradPlan& plan, std::int64_t batch, bool backward)
      : plan_(plan), batch_(batch), memory_(scratch(plan.scratch(backward), at::kFloat)) {}

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
        memory_(scratch(plan.scratch() / static_cast<std::int64_t>(sizeof(Bf16)), at::kBFloat16)) {}

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

// On a processor with matrix units.
std::optional<UnfoldedPlan> unfolded_plan_for(const at::Tensor& x, const at::Tensor& weight, int stride) {
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

at::Tensor library_convolution(const at::Tensor& x, const at::Tensor& weight, int stride) {
  return at::conv2d(x, weight.to(x.scalar_type()), {}, stride, /*padding=*/weight.size(2) / 2,
                    /*dilation=*/1, /*groups=*/x.size(1) / weight.size(1));
}

class UnfoldedConvolution : public torch::autograd::Function<UnfoldedConvolution> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            int stride) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    const auto plan = *unfolded_plan_for(x, weight, stride);
    return plan.weight_gradient_only ? library_convolution(x, weight, stride).contiguous(kChannelsLast)
                                     : Unfolded(plan, x.size(0)).forward(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const auto stride = static_cast<int>(context->saved_data["stride"].toInt());
    const auto plan = *unfolded_plan_for(x, weight, stride);
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
  const at::Tensor in = x.contiguous(kChannelsLast);
  if (!unfolded_plan_for(in, weight, stride)) {
    throw Error("this convolution is not worked by unfolding");
  }
  return UnfoldedConvolution::apply(in, weight, stride);
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, int stride) {
  at::Tensor in = x.contiguous(kChannelsLast);
  if (winograd_plan_for(in, weight, stride)) {
    return WinogradConvolution::apply(in, weight);
  }
  if (has_matrix_units() && unfolded_plan_for(in, weight, stride)) {
    return UnfoldedConvolution::apply(in, weight, stride);
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
