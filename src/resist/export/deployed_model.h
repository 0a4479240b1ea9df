#pragma once

#include <filesystem>
#include <vector>

#include "resist/checkpoint/checkpoint.h"
#include "resist/data/dataset.h"
#include "resist/model/layout.h"
#include "resist/model/norm_statistics.h"

namespace resist {

// A trained network as it leaves: all that classifying a picture takes, in plain memory. Residual scales are folded in
// (into a pre-activation branch's last convolution, a post-activation branch's last norm), so that whoever has the
// architecture can use the parameters as they are.
struct DeployedModel {
  NetworkSpec spec;                  // nothing partitioned, float32
  Layout layout;                     // of `spec`: everything is shared
  std::vector<float> values;         // layout.shared_size elements, as the layout says
  NormStatistics statistics;         // running ones, of every norm
  std::vector<double> scales;        // what was folded in, per deck of the network that was trained
  std::vector<int> scaled_sections;  // and the decks' sections (1-based); a first block only where it was dealt too
  DatasetInfo info;                  // name, input, classes (the network's), normalisation, own_sizes
};

// The network of `checkpoint`, whose parts hold the parameters by name. `trained`: its spec and layout, with the
// partition it was trained with; `scales`: of the branches, per deck; `statistics`: of the network with these scales. A
// network with more classes than `info` has no class names. InputError where they do not fit or are not finite.
DeployedModel assemble_model(const Checkpoint& checkpoint, const NetworkSpec& trained, const DatasetInfo& info,
                             const std::vector<double>& scales, NormStatistics statistics);

// model.safetensors: every parameter under its name (torchvision's style: layer3.7.conv2.weight), the statistics as
// layer3.7.bn1.running_mean and running_var, and metadata (text to text):
//   format        "resist-model", version "1"
//   architecture  JSON: block (preact, postact), bottleneck, stem (conv3, conv7), final_norm, depths, width
//   input         JSON: channels, height, width, mean, stddev (per channel, of pixels scaled to [0, 1]), resize (true:
//                 the middle 7/8 of the picture resampled; false: pictures have the input's size)
//   classes       JSON: their names, or their number where they have none
//   data          the data set's name
//   folded_scales JSON: {"section": scale}
// The file appears under its name only when it is whole and on disk; one that is there is replaced.
void write_safetensors_model(const DeployedModel& model, const std::filesystem::path& file);

// InputError names the file and what is wrong: no such model, tensors missing, of other shapes or not finite, variances
// below 0.
DeployedModel read_safetensors_model(const std::filesystem::path& file);

// model.onnx: input "images" [batch, channels, height, width] float32, normalised; output "logits" [batch, classes].
// batch is free. Opset 13, metadata as in model.safetensors; a file that is there is replaced as there. InputError
// where the values take more than 2 GB, or without RESIST_WITH_ONNX.
void write_onnx_model(const DeployedModel& model, const std::filesystem::path& file);

}  // namespace resist
