#include <algorithm>
#include <numeric>

#include "resist/comm/exchange.h"

namespace resist {
namespace {

std::int64_t bytes_of(const Piece& piece) {
  return piece.size * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

std::vector<int> everyone(int workers) {
  std::vector<int> all(static_cast<std::size_t>(workers));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ExchangePlan make_exchange_plan(std::vector<Segment> segments, int workers, std::int64_t max_piece_size) {
  ExchangePlan plan;
  plan.pieces.resize(workers);
  for (int index = 0; index < static_cast<int>(segments.size()); ++index) {
    const Segment& segment = segments[index];
    const auto holders = static_cast<std::int64_t>(segment.holders.size());
    for (std::int64_t part = 0; part < holders; ++part) {
      const std::int64_t end = segment.size * (part + 1) / holders;
      for (std::int64_t offset = segment.size * part / holders; offset < end; offset += max_piece_size) {
        const std::int64_t size = std::min(max_piece_size, end - offset);
        plan.pieces[segment.holders[part]].push_back({.segment = index, .offset = offset, .size = size});
        plan.piece_size = std::max(plan.piece_size, size);
      }
    }
  }
  plan.segments = std::move(segments);
  return plan;
}

Traffic plan_traffic(const ExchangePlan& plan, int worker) {
  Traffic traffic{.sent = std::vector<std::int64_t>(plan.workers()),
                  .received = std::vector<std::int64_t>(plan.workers())};
  const auto count = [&](int from, int to, std::int64_t bytes) {
    if (from == to) {
      return;
    }
    if (from == worker) {
      traffic.sent[to] += bytes;
    }
    if (to == worker) {
      traffic.received[from] += bytes;
    }
  };
  for (int owner = 0; owner < plan.workers(); ++owner) {
    for (const Piece& piece : plan.pieces[owner]) {
      for (const int holder : plan.segments[piece.segment].holders) {
        count(holder, owner, bytes_of(piece));
      }
      for (const int receiver : plan.segments[piece.segment].receivers) {
        count(owner, receiver, bytes_of(piece));
      }
    }
  }
  return traffic;
}

}  // namespace resist
