#include "resist/plan/link.h"

#include <algorithm>

#include "resist/comm/codec.h"

namespace resist {
namespace {

constexpr double kBits = 8;

std::int64_t encoded_bytes(const ExchangePlan& plan, const std::vector<Piece>& pieces) {
  std::int64_t bytes = 0;
  for (const Piece& piece : pieces) {
    bytes += encoded_size(plan.segments[plan.parts[piece.part].segment].format, piece.size);
  }
  return bytes;
}

// A small message, which its receiver asks for first.
double message_seconds(const std::vector<Link>& links) {
  return 4 * std::ranges::max(links, {}, &Link::latency).latency;
}

}  // namespace

std::vector<TransferStep> transfer_steps(const ExchangePlan& plan) {
  std::vector<TransferStep> steps;
  for (const Step& step : plan.steps) {
    TransferStep transfer{.to = step.to, .bytes = {}};
    for (const auto& pieces : step.pieces) {
      transfer.bytes.push_back(encoded_bytes(plan, pieces));
    }
    steps.push_back(std::move(transfer));
  }
  return steps;
}

double exchange_seconds(const std::vector<TransferStep>& steps, const std::vector<Link>& links) {
  const std::size_t workers = links.size();
  std::vector<double> begin(workers, 0);
  for (const TransferStep& step : steps) {
    std::vector<double> done = begin;  // all that it sends is out, and all that it gets is in
    for (std::size_t from = 0; from < workers; ++from) {
      if (step.to[from] < 0) {
        continue;
      }
      const auto to = static_cast<std::size_t>(step.to[from]);
      const double rate = std::min(links[from].bandwidth, links[to].bandwidth);
      const double way = links[from].latency + links[to].latency;
      const double out =
          std::max(begin[from], begin[to] + way) + static_cast<double>(step.bytes[from]) * kBits * kFraming / rate;
      done[from] = std::max(done[from], out);
      done[to] = std::max(done[to], out + way);
    }
    for (std::size_t from = 0; from < workers; ++from) {
      begin[from] = done[from];
      if (step.to[from] >= 0) {
        const auto to = static_cast<std::size_t>(step.to[from]);
        begin[from] = std::max(begin[from], done[to] + links[to].latency + links[from].latency);
      }
    }
  }
  return std::ranges::max(begin);
}

double gather_seconds(const std::vector<Link>& links) {
  return static_cast<double>(links.size() - 1) * message_seconds(links);
}

double barrier_seconds(const std::vector<Link>& links) {
  double seconds = 0;
  for (std::size_t distance = 1; distance < links.size(); distance *= 2) {
    seconds += message_seconds(links);
  }
  return seconds;
}

}  // namespace resist
