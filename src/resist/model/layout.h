#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "resist/model/network_spec.h"

namespace resist {

enum class ParameterKind { convolution, norm_weight, norm_bias, linear_weight, linear_bias };

// One parameter tensor and its place in the flat float32 memory of its group (the shared parameters, or one block).
struct Parameter {
  std::string name;  // torchvision style: layer3.7.conv2.weight
  ParameterKind kind;
  std::vector<std::int64_t> shape;
  std::int64_t size;           // elements
  std::int64_t offset;         // elements, within its group
  std::uint32_t global_index;  // place in the global network; keys its initial values
  std::int64_t fan_in;         // of convolutions and the head (both its tensors); 0 for norms
  bool starts_at_zero = false;

  bool is_weight() const { return kind == ParameterKind::convolution || kind == ParameterKind::linear_weight; }
};

// A partitioned block: what is dealt, sent and put into a slot as one piece.
struct BlockLayout {
  int section;                // 1-based
  int index;                  // within its section, 0-based
  std::int64_t size;          // elements
  std::int64_t weights_size;  // elements of convolutions, which come first; what follows belongs to norms
  std::vector<Parameter> parameters;
};

// The partitioned blocks of one section; each deck is dealt on its own.
struct Deck {
  int section;             // 1-based
  int first_block;         // its blocks are Layout::blocks[first_block .. first_block + count)
  int count;               // B of this section
  std::int64_t slot_size;  // elements: its largest block
};

// How the parameters of a network lie in memory. A pure function of the spec.
struct Layout {
  std::vector<Parameter> shared;
  std::int64_t shared_size;          // elements
  std::int64_t shared_weights_size;  // elements of convolutions and the head's weight, which come first
  // Where the last section's shared parameters lie among the shared ones: runs of elements, ascending, none empty.
  struct Run {
    std::int64_t begin;
    std::int64_t end;
  };
  std::vector<Run> last_section;
  std::vector<BlockLayout> blocks;  // partitioned blocks in global depth order; a block's id is its index here
  std::vector<Deck> decks;          // in depth order

  std::int64_t partitioned_size() const;  // elements of all partitioned blocks
  std::int64_t total_size() const { return shared_size + partitioned_size(); }
};

struct BlockPosition {
  int section;  // 1-based
  int index;    // within its section, 0-based
};

// The blocks of a sub-network that holds these partitioned ones (ascending ids), shared ones included, in depth order.
std::vector<BlockPosition> blocks_of(const NetworkSpec& spec, const Layout& layout, const std::vector<int>& held);

// InputError where the spec makes no network (no sections, a partitioned section that is not there, picture too small).
Layout make_layout(const NetworkSpec& spec);

}  // namespace resist
