#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "resist/core/error.h"

namespace resist {

// A communication that failed. What a caller can do about it: docs/errors.md.
class CommError : public Error {
 public:
  CommError(std::string operation, int worker, int peer, std::string address, const std::string& cause);

  const std::string& operation() const { return operation_; }
  int worker() const { return worker_; }  // who noticed
  int peer() const { return peer_; }      // whom it was talking to; -1: nobody in particular
  const std::string& address() const { return address_; }

 private:
  std::string operation_;
  int worker_;
  int peer_;
  std::string address_;
};

// Payload bytes since the communicator was made, by peer.
struct Traffic {
  std::vector<std::int64_t> sent;
  std::vector<std::int64_t> received;
};

// A send or receive under way. Keeps no reference to the buffer: its owner keeps it alive and untouched until wait()
// has returned or thrown, or the transfer is destroyed, which gives it up.
class Transfer {
 public:
  virtual ~Transfer() = default;
  // Blocks until the buffer may be used again (sent) or is filled (received). CommError when the peer is gone or the
  // communicator's deadline has passed.
  virtual void wait() = 0;
};

// What workers exchange bytes through. One object per worker. Several threads may use it at a time if their tags
// differ. Messages from one worker to another with one tag arrive in the order in which they were sent; a receive must
// name the size that was sent. Backends implement only the protected part; collectives (collectives.h) are written once
// above it.
class Communicator {
 public:
  Communicator(int rank, int size, std::chrono::milliseconds deadline);
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  std::chrono::milliseconds deadline() const { return deadline_; }
  Traffic traffic() const;

  // Start to send to, or receive from, `peer` (not this worker itself). Many may be in flight. An empty span is
  // allowed and moves nothing. A peer that is gone is a CommError, here or in the transfer's wait().
  std::unique_ptr<Transfer> send(std::span<const std::byte> bytes, int peer, std::uint32_t tag);
  std::unique_ptr<Transfer> receive(std::span<std::byte> bytes, int peer, std::uint32_t tag);

  // The same for a message that says nothing but that its sender has come so far; not counted as payload.
  std::unique_ptr<Transfer> send_notice(int peer, std::uint32_t tag);
  std::unique_ptr<Transfer> receive_notice(int peer, std::uint32_t tag);

  // Returns when every worker has called it (dissemination of notices).
  void barrier();

  // Ends everything that is under way, and all that will be asked for from now on, with CommError; the peers get one as
  // soon as they notice. May be called from any thread.
  virtual void abort() = 0;

 protected:
  virtual std::unique_ptr<Transfer> start_send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) = 0;
  virtual std::unique_ptr<Transfer> start_receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) = 0;

 private:
  int rank_;
  int size_;
  std::chrono::milliseconds deadline_;
  mutable std::mutex mutex_;
  Traffic traffic_;  // guarded
};

}  // namespace resist
