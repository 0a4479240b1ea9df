#pragma once

#include <cstdint>
#include <vector>

#include "resist/model/layout.h"

namespace resist {

// Where a worker's parameters lie in its flat float32 arenas: [ shared | slots of deck 0 | slots of deck 1 | ... ].
// A slot holds any block of its deck; the number of slots, not of blocks, decides the memory.
class ArenaLayout {
 public:
  // slots[d]: slots of deck d. `layout` must outlive this.
  ArenaLayout(const Layout& layout, std::vector<int> slots);

  std::int64_t size() const { return size_; }  // elements
  const std::vector<int>& slots() const { return slots_; }
  // Where each of the held blocks lies (elements): slots are filled in ascending global depth. `held`: ascending ids,
  // no more of a deck than it has slots.
  std::vector<std::int64_t> block_offsets(const std::vector<int>& held) const;
  bool operator==(const ArenaLayout& other) const { return slots_ == other.slots_; }

 private:
  const Layout* layout_;
  std::vector<int> slots_;
  std::vector<std::int64_t> first_slot_;  // offset of each deck's slots
  std::int64_t size_;
};

}  // namespace resist
