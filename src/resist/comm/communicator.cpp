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

// A message of one byte, and the byte.
class Notice : public Transfer {
 public:
  // start(byte): the transfer of it.
  template <typename Start>
  explicit Notice(const Start& start) : transfer_(start(std::span(byte_))) {}
  void wait() override { transfer_->wait(); }

 private:
  std::array<std::byte, 1> byte_{};
  std::unique_ptr<Transfer> transfer_;
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

std::unique_ptr<Transfer> Communicator::send_notice(int peer, std::uint32_t tag) {
  return std::make_unique<Notice>([&](std::span<const std::byte> byte) { return start_send(byte, peer, tag); });
}

std::unique_ptr<Transfer> Communicator::receive_notice(int peer, std::uint32_t tag) {
  return std::make_unique<Notice>([&](std::span<std::byte> byte) { return start_receive(byte, peer, tag); });
}

void Communicator::barrier() {
  // Hensgen, Finkel, Manber, "Two Algorithms for Barrier Synchronization", 1988: after step i a worker has heard,
  // directly or not, from 2^(i+1) - 1 others.
  for (int distance = 1; distance < size_; distance *= 2) {
    const auto heard = receive_notice((rank_ - distance + size_) % size_, kBarrierTag);
    send_notice((rank_ + distance) % size_, kBarrierTag)->wait();
    heard->wait();
  }
}

}  // namespace resist
