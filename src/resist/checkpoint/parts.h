#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/config/config.h"
#include "resist/model/layout.h"
#include "resist/partition/assignment.h"

namespace resist {

// What a checkpoint consists of: parts, each a sequence of groups of parameters.

// Which worker reads or writes one group from which place of which arena.
struct CheckpointGroup {
  int block;                 // -1: the shared parameters
  std::vector<int> holders;  // who has it when saving (the first sends) and who wants it when restoring
};

enum class PartSource { values, momentum, residual, outer_momentum };

struct CheckpointPart {
  std::string name;
  PartSource source;
  std::vector<CheckpointGroup> groups;
};

// `same_workers`: also what belongs to a worker alone, which means nothing to another number of workers. Pure.
std::vector<CheckpointPart> checkpoint_parts(const Config& config, const Assignment& assignment, bool same_workers);

const std::vector<Parameter>& parameters_of(const Layout& layout, const CheckpointGroup& group);
std::int64_t size_of(const Layout& layout, const CheckpointGroup& group);  // elements

// Bytes of a whole checkpoint that each worker sends to worker 0, which writes it.
std::vector<std::int64_t> checkpoint_bytes(const Config& config, const Layout& layout, const Assignment& assignment);

}  // namespace resist
