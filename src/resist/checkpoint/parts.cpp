#include "resist/checkpoint/parts.h"

#include <fmt/format.h>

#include <utility>

#include "resist/comm/exchange.h"
#include "resist/partition/training_method.h"

namespace resist {
namespace {

void add_agreed(std::vector<CheckpointPart>& parts, const Assignment& assignment, const std::string& prefix,
                PartSource source) {
  parts.push_back({prefix + "shared", source, {{-1, everyone(assignment.workers())}}});
  CheckpointPart blocks{prefix + "blocks", source, {}};
  for (int block = 0; block < assignment.blocks(); ++block) {
    blocks.groups.push_back({block, assignment.holders(block)});
  }
  if (!blocks.groups.empty()) {
    parts.push_back(std::move(blocks));
  }
}

}  // namespace

std::vector<CheckpointPart> checkpoint_parts(const Config& config, const Assignment& assignment, bool same_workers) {
  std::vector<CheckpointPart> parts;
  add_agreed(parts, assignment, "", PartSource::values);
  if (!same_workers) {
    return parts;
  }
  const MomentumSync momentum = momentum_sync(config);
  const bool agreed = momentum == MomentumSync::average || config.train.method == Method::data_parallel;
  if (agreed) {
    add_agreed(parts, assignment, "momentum-", PartSource::momentum);
  }
  if (config.outer.used()) {
    // Where blocks are dealt out only shared parameters have it.
    const bool deals = config.train.method == Method::resist;
    add_agreed(parts, deals ? Assignment(std::vector<std::vector<int>>(assignment.workers()), 0) : assignment, "outer-",
               PartSource::outer_momentum);
  }
  for (int worker = 0; worker < assignment.workers(); ++worker) {
    if (momentum == MomentumSync::carry && !agreed) {
      CheckpointPart own{fmt::format("momentum-worker-{}", worker), PartSource::momentum, {{-1, {worker}}}};
      for (const int block : assignment.held(worker)) {
        own.groups.push_back({block, {worker}});
      }
      parts.push_back(std::move(own));
    }
    if (config.sync.compress != Compression::none && config.train.method != Method::data_parallel) {
      parts.push_back({fmt::format("residual-worker-{}", worker), PartSource::residual, {{-1, {worker}}}});
    }
  }
  return parts;
}

const std::vector<Parameter>& parameters_of(const Layout& layout, const CheckpointGroup& group) {
  return group.block < 0 ? layout.shared : layout.blocks[group.block].parameters;
}

std::int64_t size_of(const Layout& layout, const CheckpointGroup& group) {
  return group.block < 0 ? layout.shared_size : layout.blocks[group.block].size;
}

std::vector<std::int64_t> checkpoint_bytes(const Config& config, const Layout& layout, const Assignment& assignment) {
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(assignment.workers()));
  for (const CheckpointPart& part : checkpoint_parts(config, assignment, /*same_workers=*/true)) {
    for (const CheckpointGroup& group : part.groups) {
      const int sender = group.holders.front();
      if (sender != 0) {
        bytes[static_cast<std::size_t>(sender)] += size_of(layout, group) * static_cast<std::int64_t>(sizeof(float));
      }
    }
  }
  return bytes;
}

}  // namespace resist
