#include "resist/model/arena_layout.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

TEST(ArenaLayout, TakesMemoryForSlotsNotBlocks) {
  const Layout layout = make_layout({.depths = {3, 4, 23, 3}, .classes = 100});
  const ArenaLayout arena(layout, {6});
  EXPECT_EQ(arena.size(), 15'422'116 + 6 * 1'180'672);
}

TEST(ArenaLayout, FillsSlotsInDepthOrderDeckByDeck) {
  const Layout layout = make_layout({.depths = {1, 4, 6, 1}, .width = 4, .partition_sections = {2, 3}});
  const ArenaLayout arena(layout, {2, 3});
  const std::int64_t shared = layout.shared_size;
  const std::int64_t small = layout.decks[0].slot_size;
  const std::int64_t large = layout.decks[1].slot_size;
  // Ids 0..2 are section 2's, 3..7 section 3's.
  EXPECT_EQ(arena.block_offsets({0, 2, 3, 6, 7}),
            (std::vector<std::int64_t>{shared, shared + small, shared + 2 * small, shared + 2 * small + large,
                                       shared + 2 * small + 2 * large}));
  // A deck with free slots leaves the next deck's where they are.
  EXPECT_EQ(arena.block_offsets({1, 5}), (std::vector<std::int64_t>{shared, shared + 2 * small}));
}

}  // namespace
}  // namespace resist
