#include "resist/sync/block_visits.h"

#include <gtest/gtest.h>

namespace resist {
namespace {

Layout layout_of(const std::vector<std::int64_t>& sizes) {
  Layout layout;
  for (const std::int64_t size : sizes) {
    layout.blocks.push_back({.size = size});
  }
  return layout;
}

TEST(BlockVisits, TheHolderThatHasSentLeastSends) {
  const Layout layout = layout_of({10, 10, 10, 30, 10});
  const Assignment assignment({{0, 1, 3}, {1, 2, 3}, {2, 3, 4}}, 5);
  // 0 sends block 0 to two; then 1 has sent less than 0, 2 less than 1; block 3 is everywhere, 4 only on 2.
  EXPECT_EQ(visit_senders(layout, assignment), (std::vector<int>{0, 1, 2, 1, 2}));
}

TEST(BlockVisits, NobodySendsMuchMoreThanOthersWhereManyHoldABlock) {
  const Layout layout = layout_of(std::vector<std::int64_t>(24, 1));
  std::vector<std::vector<int>> held(4);
  for (int block = 0; block < 24; ++block) {  // two holders each, worker 0 among them in every second
    held[block % 2 == 0 ? 0 : 1].push_back(block);
    held[block % 4 < 2 ? 2 : 3].push_back(block);
  }
  std::vector<int> sent(4);
  for (const int sender : visit_senders(layout, Assignment(held, 24))) {
    ++sent[sender];
  }
  EXPECT_EQ(sent, (std::vector<int>{6, 6, 6, 6}));
}

TEST(BlockVisits, SeveralAreUnderWayAndMemoryIsBounded) {
  EXPECT_EQ(visits_under_way(1), 2);
  EXPECT_EQ(visits_under_way(4), 4);
  EXPECT_EQ(visits_under_way(1000), 16);
  const Layout layout = layout_of({10, 10, 20, 40});
  EXPECT_EQ(visiting_size(layout, Assignment({{0, 1, 3}, {2, 3}}, 4)), 2 * 20);  // block 3 is everywhere
  EXPECT_EQ(visiting_size(layout, Assignment({{0, 3}, {1}, {2}}, 4)), 3 * 40);
  EXPECT_EQ(visiting_size(layout, assign_all({{.section = 3, .blocks = 4}}, 3)), 0);
}

}  // namespace
}  // namespace resist
