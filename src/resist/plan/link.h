#pragma once

#include <cstdint>
#include <vector>

#include "resist/comm/exchange.h"

namespace resist {

// A worker's link to the network that joins all workers.
struct Link {
  double bandwidth = 0;  // bits per second, each way at once
  double latency = 0;    // seconds from the worker to the middle of the network, one way
};

// Bytes that a link counts for a byte of payload: a full Ethernet frame of 1514 bytes carries 1448 of it.
inline constexpr double kFraming = 1514.0 / 1448.0;

// One step of an exchange, per sender.
struct TransferStep {
  std::vector<int> to;  // -1: to nobody
  std::vector<std::int64_t> bytes;
};

// All steps of a plan.
std::vector<TransferStep> transfer_steps(const ExchangePlan& plan);

// Seconds until every worker is through, from the moment when all begin. Each worker begins a step when its last one is
// confirmed, as exchange() does; a transfer begins when its receiver has said that it has room, as Gloo does, and goes
// at the rate of the slower of its two links.
double exchange_seconds(const std::vector<TransferStep>& steps, const std::vector<Link>& links);

// Seconds of a small message from every worker to every other one (all_gather_bytes), and of a barrier.
double gather_seconds(const std::vector<Link>& links);
double barrier_seconds(const std::vector<Link>& links);

}  // namespace resist
