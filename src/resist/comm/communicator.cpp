#include "resist/comm/communicator.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "resist/comm/tags.h"

namespace resist {
namespace {

class NothingToMove : public Transfer {
 public:
  void wait() override {}
};

}  // namespace

CommError::CommError(std::string operation, int worker, int peer, std::string address, const std::string& cause)
    : Error(peer < 0 ? fmt::format("worker {}: {} failed: {}", worker, operation, cause)
                     : fmt::format("worker {}: {} worker {}{} failed: {}", worker, operation, peer,
                                   address.empty() ? "" : " at " + address, cause)),
      operation_(std::move(operation)),
      worker_(worker),
      peer_(peer),
      address_(std::move(address)) {
}

Communicator::Communicator(int rank, int size, std::chrono::milliseconds deadline)
    : rank_(rank), size_(size), deadline_(deadline) {
  if (size < 1 || rank < 0 || rank >= size) {
    throw Error(fmt::format("worker {} of {} can't be: workers are numbered from 0", rank, size));
  }
  traffic_.sent.resize(size);
  traffic_.received.resize(size);
}

std::unique_ptr<Transfer> Communicator::send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) {
  if (bytes.empty()) {
    return std::make_unique<NothingToMove>();
  }
  auto transfer = start_send(bytes, peer, tag);
  const std::lock_guard lock(mutex_);
  traffic_.sent.at(peer) += static_cast<std::int64_t>(bytes.size());
  return transfer;
}

std::unique_ptr<Transfer> Communicator::receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) {
  if (bytes.empty()) {
    return std::make_unique<NothingToMove>();
  }
  auto transfer = start_receive(bytes, peer, tag);
  const std::lock_guard lock(mutex_);
  traffic_.received.at(peer) += static_cast<std::int64_t>(bytes.size());
  return transfer;
}

Traffic Communicator::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

void Communicator::notify(int to, int from, std::uint32_t tag) {
  const std::array<std::byte, 1> sent{};
  std::array<std::byte, 1> received{};
  std::unique_ptr<Transfer> receiving = from < 0 ? nullptr : start_receive(received, from, tag);
  if (to >= 0) {
    start_send(sent, to, tag)->wait();
  }
  if (receiving) {
    receiving->wait();
  }
}

void Communicator::barrier() {
  // Hensgen, Finkel, Manber, "Two Algorithms for Barrier Synchronization", 1988: after step i a worker has heard,
  // directly or not, from 2^(i+1) - 1 others.
  for (int distance = 1; distance < size_; distance *= 2) {
    notify((rank_ + distance) % size_, (rank_ - distance + size_) % size_, kBarrierTag);
  }
}

}  // namespace resist
