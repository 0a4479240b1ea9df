#include "resist/model/arena_layout.h"

#include <utility>

namespace resist {

ArenaLayout::ArenaLayout(const Layout& layout, std::vector<int> slots)
    : layout_(&layout), slots_(std::move(slots)), size_(layout.shared_size) {
  for (std::size_t deck = 0; deck < layout.decks.size(); ++deck) {
    first_slot_.push_back(size_);
    size_ += slots_.at(deck) * layout.decks[deck].slot_size;
  }
}

std::vector<std::int64_t> ArenaLayout::block_offsets(const std::vector<int>& held) const {
  std::vector<std::int64_t> offsets;
  std::size_t next = 0;
  for (std::size_t index = 0; index < layout_->decks.size(); ++index) {
    const Deck& deck = layout_->decks[index];
    for (std::int64_t slot = 0; next < held.size() && held[next] < deck.first_block + deck.count; ++slot, ++next) {
      offsets.push_back(first_slot_[index] + slot * deck.slot_size);
    }
  }
  return offsets;
}

}  // namespace resist
