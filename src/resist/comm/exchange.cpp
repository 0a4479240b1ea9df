#include "resist/comm/exchange.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>

#include "resist/core/random.h"

namespace resist {
namespace {

constexpr std::int64_t kAlignment = 64;

bool is_float(const Segment& segment) {
  return segment.format == WireFormat::float32;
}

// Who sends to `worker`; -1: nobody.
int sender_to(const Step& step, int worker) {
  const auto sender = std::ranges::find(step.to, worker);
  return sender == step.to.end() ? -1 : static_cast<int>(sender - step.to.begin());
}

// Who owns a piece sends the result of it, and everybody else values.
bool is_result(const ExchangePlan& plan, const Piece& piece, int from) {
  return plan.parts[piece.part].owner == from;
}

// Bytes of what `from` sends in a step and is encoded: of its results, or of its values.
std::int64_t encoded_bytes(const ExchangePlan& plan, const Step& step, int from, bool results) {
  std::int64_t bytes = 0;
  for (const Piece& piece : step.pieces[from]) {
    const Segment& segment = plan.segments[plan.parts[piece.part].segment];
    if (!is_float(segment) && is_result(plan, piece, from) == results) {
      bytes += encoded_size(segment.format, piece.size);
    }
  }
  return bytes;
}

// Where things lie in one worker's scratch memory, in bytes from its start.
class Scratch {
 public:
  Scratch(const ExchangePlan& plan, int worker) : values_(plan.parts.size(), -1), results_(plan.parts.size(), -1) {
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
      const SegmentPart& part = plan.parts[i];
      const Segment& segment = plan.segments[part.segment];
      if (part.owner != worker) {
        continue;
      }
      const std::int64_t bytes = encoded_size(segment.format, part.size);
      const auto others = static_cast<std::int64_t>(segment.holders.size()) - 1;
      if (others > 0) {
        values_[i] = reserve(others * bytes);
      }
      // A mean takes the place of the first values that went into it; what has one holder is sent from where it lies,
      // unless it is encoded.
      const bool only_kept = others == 0 && segment.receivers == segment.holders;
      if (others > 0) {
        results_[i] = values_[i];
      } else if (!is_float(segment) && !only_kept) {
        results_[i] = reserve(bytes);
      }
    }
    std::int64_t most_out = 0;
    std::int64_t most_in = 0;
    for (const Step& step : plan.steps) {
      most_out = std::max(most_out, encoded_bytes(plan, step, worker, /*results=*/false));
      if (const int from = sender_to(step, worker); from >= 0) {
        most_in = std::max(most_in, encoded_bytes(plan, step, from, /*results=*/true));
      }
    }
    passing_out_ = reserve(most_out);
    passing_in_ = reserve(most_in);
  }

  std::int64_t size() const { return size_; }
  // Values of the n-th of a part's other holders; -1 before a part that has none.
  std::int64_t values(int part, std::int64_t n, std::int64_t bytes_of_part) const {
    return values_[part] + n * bytes_of_part;
  }
  // -1: the result is sent from its source.
  std::int64_t result(int part) const { return results_[part]; }
  // Encoded pieces of the step under way: values that are sent, and results that are received.
  std::int64_t passing_out() const { return passing_out_; }
  std::int64_t passing_in() const { return passing_in_; }

 private:
  std::int64_t reserve(std::int64_t bytes) {
    const std::int64_t start = size_;
    size_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return start;
  }

  std::vector<std::int64_t> values_;
  std::vector<std::int64_t> results_;
  std::int64_t passing_out_ = 0;
  std::int64_t passing_in_ = 0;
  std::int64_t size_ = 0;
};

class Exchange {
 public:
  Exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
           std::uint32_t tag, std::uint64_t rounding_key)
      : communicator_(communicator),
        plan_(plan),
        memory_(memory),
        tag_(tag),
        rounding_key_(rounding_key),
        places_(plan, communicator.rank()),
        allocated_(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(places_.size()) / sizeof(float))),
        scratch_(std::as_writable_bytes(std::span(allocated_.get(), 1)).data()),
        finished_(plan.parts.size(), 0),
        collected_(plan.parts.size()) {}

  Payload run() {
    for (const Step& step : plan_.steps) {
      carry_out(step);
    }
    for (int part = 0; part < static_cast<int>(plan_.parts.size()); ++part) {
      if (plan_.parts[part].owner == rank()) {
        finish_result(part, plan_.parts[part].size);
      }
    }
    return payload_;
  }

 private:
  static constexpr std::int64_t kBlock = 8 * kCodecChunk;  // elements that are worked at a time: they stay in the cache
  using Block = std::array<float, kBlock>;
  enum Leg : std::uint32_t { value_leg, result_leg };

  int rank() const { return communicator_.rank(); }
  const Segment& segment(int part) const { return plan_.segments[plan_.parts[part].segment]; }
  const SegmentMemory& memory(int part) const { return memory_[plan_.parts[part].segment]; }
  std::int64_t size_of(const Piece& piece) const { return encoded_size(segment(piece.part).format, piece.size); }
  // Where a piece starts within its encoded part.
  std::int64_t start_of(const Piece& piece) const {
    return encoded_size(segment(piece.part).format, piece.offset - plan_.parts[piece.part].offset);
  }
  static std::span<const std::byte> bytes(const float* values, std::int64_t count) {
    return std::as_bytes(std::span(values, static_cast<std::size_t>(count)));
  }
  static std::span<std::byte> bytes(float* values, std::int64_t count) {
    return std::as_writable_bytes(std::span(values, static_cast<std::size_t>(count)));
  }

  // Returns when all of the step is done: who sends next is then free to.
  void carry_out(const Step& step) {
    const int from = sender_to(step, rank());
    std::vector<std::span<std::byte>> places;
    std::vector<std::unique_ptr<Transfer>> receives;
    if (from >= 0) {
      std::byte* passing = scratch_ + places_.passing_in();
      for (const Piece& piece : step.pieces[from]) {
        places.push_back(is_result(plan_, piece, from) ? place_of_result(piece, passing) : place_of_value(piece, from));
        receives.push_back(communicator_.receive(places.back(), from, tag_));
        payload_.received += static_cast<std::int64_t>(places.back().size());
      }
    }
    const int to = step.to[rank()];
    std::vector<std::unique_ptr<Transfer>> sends;
    if (to >= 0) {
      // Sent bytes may still be on their way out of this machine: the next transfer must not compete with them.
      sends.push_back(communicator_.receive_notice(to, tag_));
    }
    std::byte* passing = scratch_ + places_.passing_out();
    for (const Piece& piece : step.pieces[rank()]) {
      const std::span<const std::byte> sent =
          is_result(plan_, piece, rank()) ? result_to_send(piece) : value_to_send(piece, passing);
      sends.push_back(communicator_.send(sent, to, tag_));
      payload_.sent += static_cast<std::int64_t>(sent.size());
    }
    for (std::size_t i = 0; i < receives.size(); ++i) {
      receives[i]->wait();
      const Piece& piece = step.pieces[from][i];
      is_result(plan_, piece, from) ? take_result(piece, places[i]) : take_value(piece, from);
    }
    if (from >= 0) {
      communicator_.send_notice(from, tag_)->wait();
    }
    for (const auto& send : sends) {
      send->wait();
    }
  }

  // This worker's values of a piece that another one owns; encoded ones at `passing`, which moves on.
  std::span<const std::byte> value_to_send(const Piece& piece, std::byte*& passing) {
    const float* source = memory(piece.part).source + piece.offset;
    if (is_float(segment(piece.part))) {
      return bytes(source, piece.size);
    }
    std::byte* out = passing;
    const std::uint64_t key = key_of(piece.part, value_leg);
    for (std::int64_t done = 0; done < piece.size; done += kBlock) {
      const std::int64_t count = std::min(kBlock, piece.size - done);
      Block values;
      own_contribution(piece.part, piece.offset + done, count, values.data());
      const std::int64_t size =
          encode_block(piece.part, {values.data(), static_cast<std::size_t>(count)}, key, piece.offset + done, passing);
      if (float* residual = memory(piece.part).residual; residual != nullptr) {
        Block said;
        decode(segment(piece.part).format, passing, {said.data(), static_cast<std::size_t>(count)});
        for (std::int64_t i = 0; i < count; ++i) {
          residual[piece.offset + done + i] = values[i] - said[i];
        }
      }
      passing += size;
    }
    return {out, passing};
  }

  std::span<std::byte> place_of_value(const Piece& piece, int from) {
    const SegmentPart& part = plan_.parts[piece.part];
    const std::int64_t bytes_of_part = encoded_size(segment(piece.part).format, part.size);
    const std::int64_t start = places_.values(piece.part, place_among_others(piece.part, from), bytes_of_part);
    return {scratch_ + start + start_of(piece), static_cast<std::size_t>(size_of(piece))};
  }

  // Averages what has come from all, so that it is not to do when nothing moves meanwhile.
  void take_value(const Piece& piece, int from) {
    std::vector<std::int64_t>& collected = collected_[piece.part];
    collected.resize(segment(piece.part).holders.size() - 1);
    collected[place_among_others(piece.part, from)] += piece.size;
    finish_result(piece.part, std::ranges::min(collected));
  }

  std::int64_t place_among_others(int part, int holder) const {
    const auto& holders = segment(part).holders;
    const auto place = std::ranges::lower_bound(holders, holder) - holders.begin();
    return place - (holder > plan_.parts[part].owner ? 1 : 0);
  }

  // The result of a piece that this worker owns.
  std::span<const std::byte> result_to_send(const Piece& piece) {
    finish_result(piece.part, piece.offset + piece.size - plan_.parts[piece.part].offset);
    if (const std::int64_t start = places_.result(piece.part); start >= 0) {
      return {scratch_ + start + start_of(piece), static_cast<std::size_t>(size_of(piece))};
    }
    return bytes(memory(piece.part).source + piece.offset, piece.size);
  }

  std::span<std::byte> place_of_result(const Piece& piece, std::byte*& passing) {
    if (is_float(segment(piece.part))) {
      return bytes(memory(piece.part).target + piece.offset, piece.size);
    }
    std::byte* place = passing;
    passing += size_of(piece);
    return {place, passing};
  }

  void take_result(const Piece& piece, std::span<const std::byte> encoded) {
    const SegmentMemory& own = memory(piece.part);
    if (!is_float(segment(piece.part))) {
      decode(segment(piece.part).format, encoded.data(),
             {own.target + piece.offset, static_cast<std::size_t>(piece.size)});
    }
    complete(own, piece.offset, piece.size);
  }

  // A stretch of a target, from `offset` on, that holds the decoded result.
  static void complete(const SegmentMemory& own, std::int64_t offset, std::int64_t count) {
    if (own.reference != nullptr) {
      add(own.reference + offset, count, own.target + offset);
    }
    if (own.arrived != nullptr) {
      (*own.arrived)(own.target + offset, count);
    }
  }

  // What this worker contributes to a mean: its values, or their difference from the reference and its residual.
  void own_contribution(int part, std::int64_t offset, std::int64_t count, float* out) const {
    const SegmentMemory& own = memory(part);
    const float* source = own.source + offset;
    if (own.reference == nullptr) {
      std::copy_n(source, count, out);
      return;
    }
    const float* reference = own.reference + offset;
    const float* residual = own.residual + offset;
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = source[i] - reference[i] + residual[i];
    }
  }

  // Averages the first `end` elements of an own part, as far as that has not been done.
  void finish_result(int part, std::int64_t end) {
    std::int64_t& done = finished_[part];
    if (places_.result(part) < 0) {
      const SegmentMemory& own = memory(part);
      if (own.target != nullptr && end > done) {
        const std::int64_t offset = plan_.parts[part].offset + done;
        if (own.target != own.source) {
          std::memcpy(own.target + offset, own.source + offset, static_cast<std::size_t>(end - done) * sizeof(float));
        }
        if (own.arrived != nullptr) {
          (*own.arrived)(own.target + offset, end - done);
        }
      }
      done = std::max(done, end);
    }
    while (done < end) {
      const std::int64_t count = std::min(kBlock, end - done);
      Block result;
      mean(part, done, count, result);
      store_result(part, done, {result.data(), static_cast<std::size_t>(count)});
      done += count;
    }
  }

  // The mean over the holders of `count` elements from `start` of a part on.
  void mean(int part, std::int64_t start, std::int64_t count, Block& sum) {
    const std::vector<int>& holders = segment(part).holders;
    const std::vector<float>& weights = segment(part).weights;
    const WireFormat format = segment(part).format;
    const std::int64_t bytes_of_part = encoded_size(format, plan_.parts[part].size);
    Block value;
    for (std::size_t i = 0; i < holders.size(); ++i) {
      float* into = i == 0 ? sum.data() : value.data();
      if (holders[i] == rank()) {
        own_contribution(part, plan_.parts[part].offset + start, count, into);
      } else {
        const std::int64_t values = places_.values(part, place_among_others(part, holders[i]), bytes_of_part);
        decode(format, scratch_ + values + encoded_size(format, start), {into, static_cast<std::size_t>(count)});
      }
      if (!weights.empty()) {
        for (std::int64_t element = 0; element < count; ++element) {
          into[element] *= weights[i];
        }
      }
      if (i > 0) {
        add(value.data(), count, sum.data());
      }
    }
    if (holders.size() > 1) {
      const float divisor = total_weight(part);
      for (std::int64_t i = 0; i < count; ++i) {
        sum[i] /= divisor;
      }
    }
  }

  float total_weight(int part) const {
    const Segment& own = segment(part);
    return own.weights.empty() ? static_cast<float>(own.holders.size())
                               : std::accumulate(own.weights.begin(), own.weights.end(), 0.0F);
  }

  float own_weight(int part) const {
    const Segment& own = segment(part);
    return own.weights.empty() ? 1.0F
                               : own.weights[std::ranges::lower_bound(own.holders, rank()) - own.holders.begin()];
  }

  void store_result(int part, std::int64_t start, std::span<float> result) {
    const SegmentMemory& own = memory(part);
    const std::int64_t offset = plan_.parts[part].offset + start;
    const WireFormat format = segment(part).format;
    std::byte* encoded = scratch_ + places_.result(part) + encoded_size(format, start);
    encode_block(part, result, key_of(part, result_leg), offset, encoded);
    Block said;
    const std::span<float> decoded(said.data(), result.size());
    decode(format, encoded, decoded);
    if (own.residual != nullptr) {
      const float share = total_weight(part) / own_weight(part);
      for (std::size_t i = 0; i < result.size(); ++i) {
        own.residual[offset + static_cast<std::int64_t>(i)] = share * (result[i] - said[i]);
      }
    }
    if (own.target != nullptr) {
      std::ranges::copy(decoded, own.target + offset);
      complete(own, offset, static_cast<std::int64_t>(result.size()));
    }
  }

  std::int64_t encode_block(int part, std::span<const float> values, std::uint64_t key, std::int64_t offset,
                            std::byte* out) const {
    encode(segment(part).format, values, key, offset, out);
    return encoded_size(segment(part).format, static_cast<std::int64_t>(values.size()));
  }

  std::uint64_t key_of(int part, Leg leg) const {
    const auto bits = philox(rounding_key_, {static_cast<std::uint32_t>(plan_.parts[part].segment),
                                             static_cast<std::uint32_t>(rank()), leg, 0});
    return bits[0] | std::uint64_t{bits[1]} << 32U;
  }

  static void add(const float* values, std::int64_t count, float* sum) {
    for (std::int64_t i = 0; i < count; ++i) {
      sum[i] += values[i];
    }
  }

  Communicator& communicator_;
  const ExchangePlan& plan_;
  std::span<const SegmentMemory> memory_;
  std::uint32_t tag_;
  std::uint64_t rounding_key_;
  Scratch places_;
  std::unique_ptr<float[]> allocated_;
  std::byte* scratch_;  // the same memory
  Payload payload_;
  std::vector<std::int64_t> finished_;                // per part: elements of the result that are there
  std::vector<std::vector<std::int64_t>> collected_;  // per part and other holder: elements that have come
};

}  // namespace

std::int64_t scratch_size(const ExchangePlan& plan, int worker) {
  return Scratch(plan, worker).size();
}

Payload exchange(Communicator& communicator, const ExchangePlan& plan, std::span<const SegmentMemory> memory,
                 std::uint32_t tag, std::uint64_t rounding_key) {
  return Exchange(communicator, plan, memory, tag, rounding_key).run();
}

}  // namespace resist
