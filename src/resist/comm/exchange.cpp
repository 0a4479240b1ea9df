#include "resist/comm/exchange.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

namespace resist {
namespace {

// Sends in flight: enough that the link never waits for this worker, few enough that pairwise steps stay pairwise.
constexpr std::size_t kSendWindow = 2;

bool contains(const std::vector<int>& workers, int worker) {
  return std::ranges::binary_search(workers, worker);
}

class Exchange {
 public:
  Exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
           std::uint32_t tag)
      : communicator_(communicator),
        plan_(plan),
        memory_(memory),
        tag_(tag),
        scratch_(static_cast<std::size_t>(scratch_size(plan))) {}

  void run() {
    std::size_t waves = 0;
    for (const auto& pieces : plan_.pieces) {
      waves = std::max(waves, pieces.size());
    }
    // Wave n's values are collected while wave n-1's results are handed out.
    for (std::size_t wave = 0; wave <= waves; ++wave) {
      std::vector<std::unique_ptr<Transfer>> collected = start_collecting(wave);
      start_getting_results(wave - 1);
      for (int step = 1; step < size(); ++step) {
        const int peer = (rank() + step) % size();
        send_value(wave, peer);
        send_result(wave - 1, peer);
      }
      for (const auto& transfer : collected) {
        transfer->wait();
      }
      average(wave);
    }
    for (const auto& transfer : results_) {
      transfer->wait();
    }
    finish_sends();
  }

 private:
  int rank() const { return communicator_.rank(); }
  int size() const { return communicator_.size(); }

  // Null where the owner has no piece in that wave. (A wave of -1 wraps round and has none either.)
  const Piece* piece_of(int owner, std::size_t wave) const {
    const auto& pieces = plan_.pieces[owner];
    return wave < pieces.size() ? &pieces[wave] : nullptr;
  }
  const Segment& segment_of(const Piece& piece) const { return plan_.segments[piece.segment]; }
  const float* source(const Piece& piece) const { return memory_[piece.segment].source + piece.offset; }
  float* target(const Piece& piece) const { return memory_[piece.segment].target + piece.offset; }

  // Scratch: a place per peer for its value, and this worker's own for a result that it does not keep.
  float* scratch(int place) { return scratch_.data() + place * plan_.piece_size; }
  // Where the result of this worker's own piece is.
  const float* result(const Piece& piece) {
    if (segment_of(piece).holders.size() == 1) {
      return source(piece);
    }
    return contains(segment_of(piece).receivers, rank()) ? target(piece) : scratch(rank());
  }

  std::vector<std::unique_ptr<Transfer>> start_collecting(std::size_t wave) {
    std::vector<std::unique_ptr<Transfer>> transfers;
    const Piece* piece = piece_of(rank(), wave);
    for (int step = 1; step < size() && piece != nullptr; ++step) {
      const int peer = (rank() - step + size()) % size();
      if (contains(segment_of(*piece).holders, peer)) {
        const std::span values(scratch(peer), static_cast<std::size_t>(piece->size));
        transfers.push_back(communicator_.receive(std::as_writable_bytes(values), peer, tag_));
      }
    }
    return transfers;
  }

  void start_getting_results(std::size_t wave) {
    for (int step = 1; step < size(); ++step) {
      const int owner = (rank() - step + size()) % size();
      const Piece* piece = piece_of(owner, wave);
      if (piece != nullptr && contains(segment_of(*piece).receivers, rank())) {
        const std::span values(target(*piece), static_cast<std::size_t>(piece->size));
        results_.push_back(communicator_.receive(std::as_writable_bytes(values), owner, tag_));
      }
    }
  }

  void send_value(std::size_t wave, int owner) {
    const Piece* piece = piece_of(owner, wave);
    if (piece != nullptr && contains(segment_of(*piece).holders, rank())) {
      send(source(*piece), piece->size, owner);
    }
  }

  void send_result(std::size_t wave, int receiver) {
    const Piece* piece = piece_of(rank(), wave);
    if (piece != nullptr && contains(segment_of(*piece).receivers, receiver)) {
      send(result(*piece), piece->size, receiver);
    }
  }

  void send(const float* values, std::int64_t count, int peer) {
    while (sends_.size() >= kSendWindow) {
      sends_.front()->wait();
      sends_.pop_front();
    }
    const std::span bytes(values, static_cast<std::size_t>(count));
    sends_.push_back(communicator_.send(std::as_bytes(bytes), peer, tag_));
  }

  void average(std::size_t wave) {
    const Piece* piece = piece_of(rank(), wave);
    if (piece == nullptr) {
      return;
    }
    const std::vector<int>& holders = segment_of(*piece).holders;
    if (holders.size() == 1) {
      if (contains(segment_of(*piece).receivers, rank()) && source(*piece) != target(*piece)) {
        std::memcpy(target(*piece), source(*piece), static_cast<std::size_t>(piece->size) * sizeof(float));
      }
      return;
    }
    std::vector<const float*> values;
    values.reserve(holders.size());
    for (const int holder : holders) {
      values.push_back(holder == rank() ? source(*piece) : scratch(holder));
    }
    const bool kept = contains(segment_of(*piece).receivers, rank());
    if (!kept) {
      finish_sends();  // the result before may still be on its way out of the same scratch
    }
    mean(values, kept ? target(*piece) : scratch(rank()), piece->size);
  }

  void finish_sends() {
    for (; !sends_.empty(); sends_.pop_front()) {
      sends_.front()->wait();
    }
  }

  // In blocks that stay in the cache; the order of additions for each element is the same as without blocks.
  static void mean(const std::vector<const float*>& values, float* out, std::int64_t count) {
    constexpr std::int64_t kBlock = 1024;
    const auto divisor = static_cast<float>(values.size());
    std::array<float, kBlock> sum;
    for (std::int64_t start = 0; start < count; start += kBlock) {
      const std::int64_t block = std::min(kBlock, count - start);
      std::copy_n(values[0] + start, block, sum.begin());
      for (std::size_t i = 1; i < values.size(); ++i) {
        const float* value = values[i] + start;
        for (std::int64_t j = 0; j < block; ++j) {
          sum[j] += value[j];
        }
      }
      for (std::int64_t j = 0; j < block; ++j) {
        out[start + j] = sum[j] / divisor;
      }
    }
  }

  Communicator& communicator_;
  const ExchangePlan& plan_;
  std::span<const SegmentMemory> memory_;
  std::uint32_t tag_;
  std::vector<float> scratch_;
  std::vector<std::unique_ptr<Transfer>> results_;
  std::deque<std::unique_ptr<Transfer>> sends_;
};

}  // namespace

std::int64_t scratch_size(const ExchangePlan& plan) {
  return std::any_of(plan.segments.begin(), plan.segments.end(),
                     [](const Segment& segment) { return segment.holders.size() > 1; })
             ? plan.workers() * plan.piece_size
             : 0;
}

void exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
              std::uint32_t tag) {
  Exchange(communicator, plan, memory, tag).run();
}

}  // namespace resist
