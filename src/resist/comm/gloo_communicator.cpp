#include <fmt/format.h>
#include <torch/types.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>

#include "resist/comm/c10d_store.h"
#include "resist/comm/message_checksum.h"
#include "resist/comm/store.h"
#include "resist/core/failpoint.h"

namespace resist {
namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

// Gloo's messages carry source places in front and long type names; the user needs the reason.
std::string reason(const std::exception& error) {
  std::string text = error.what();
  text = text.substr(0, text.find('\n'));
  const auto bracket = text.find("] ");
  return bracket == std::string::npos ? text : text.substr(bracket + 2);
}

constexpr const char* kEnded = "this worker has ended the connection";

// The transfers of a communicator that are under way, so that they can be ended from another thread.
class UnderWay {
 public:
  // False: everything has been ended, and so has this.
  bool add(c10d::Work& work) {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      return false;
    }
    works_.insert(&work);
    return true;
  }
  void remove(c10d::Work& work) {
    const std::lock_guard lock(mutex_);
    works_.erase(&work);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (c10d::Work* work : works_) {
      work->abort();
    }
  }

 private:
  std::mutex mutex_;
  std::set<c10d::Work*> works_;
  bool ended_ = false;
};

// Who waits for whom, and how long.
struct Conversation {
  const char* operation;
  int worker;
  int peer;
  std::string address;
  std::chrono::milliseconds deadline;

  [[noreturn]] void fail(const std::string& cause) const { throw CommError(operation, worker, peer, address, cause); }
};

// A payload and its checksum, on their way one behind the other.
class GlooTransfer : public Transfer {
 public:
  GlooTransfer(Conversation conversation, std::shared_ptr<UnderWay> under_way, Work payload, Work checksum)
      : conversation_(std::move(conversation)),
        under_way_(std::move(under_way)),
        payload_(std::move(payload)),
        checksum_(std::move(checksum)),
        ended_(!under_way_->add(*payload_) || !under_way_->add(*checksum_)) {}
  ~GlooTransfer() override {
    under_way_->remove(*payload_);
    under_way_->remove(*checksum_);
  }

  void wait() override {
    if (ended_) {
      conversation_.fail(kEnded);
    }
    wait_for(*payload_);
    wait_for(*checksum_);
  }

 protected:
  const Conversation& conversation() const { return conversation_; }

 private:
  void wait_for(c10d::Work& work) const {
    bool completed = false;
    try {
      completed = work.wait(conversation_.deadline);
    } catch (const std::exception& error) {
      conversation_.fail(reason(error));
    }
    if (!completed) {
      conversation_.fail(kEnded);
    }
  }

  Conversation conversation_;
  std::shared_ptr<UnderWay> under_way_;
  Work payload_;
  Work checksum_;
  bool ended_;  // before it had begun
};

// A message, and the fence behind which its checksum is right.
struct Fenced {
  std::span<const std::byte> payload;
  std::uint64_t fence;
  std::uint32_t tag;
};

class GlooReceive : public GlooTransfer {
 public:
  GlooReceive(Conversation conversation, std::shared_ptr<UnderWay> under_way, Work payload, Work checksum,
              Fenced message, at::Tensor received_checksum)
      : GlooTransfer(std::move(conversation), std::move(under_way), std::move(payload), std::move(checksum)),
        message_(message),
        received_checksum_(std::move(received_checksum)) {}

  void wait() override {
    GlooTransfer::wait();
    const std::uint32_t expected =
        message_checksum(message_.payload, message_.fence, message_.tag, conversation().peer, conversation().worker);
    if (std::memcmp(received_checksum_.data_ptr(), &expected, sizeof expected) != 0) {
      conversation().fail(wrong_checksum(message_.payload.size(), message_.tag));
    }
  }

 private:
  Fenced message_;
  at::Tensor received_checksum_;
};

// Gloo takes a mutable tensor, also where it only reads it.
at::Tensor as_tensor(std::span<const std::byte> bytes) {
  return at::from_blob(const_cast<std::byte*>(bytes.data()), {static_cast<std::int64_t>(bytes.size())}, at::kByte);
}

at::Tensor room_for_checksum() {
  return at::empty({sizeof(std::uint32_t)}, at::kByte);
}

// What a fault on the way would make of it: the sender's own memory stays as it is.
at::Tensor damaged(const at::Tensor& payload) {
  at::Tensor copy = payload.clone();
  copy.data_ptr<std::uint8_t>()[copy.numel() / 2] ^= 1U;
  return copy;
}

class GlooCommunicator : public Communicator {
 public:
  GlooCommunicator(c10::intrusive_ptr<c10d::ProcessGroupGloo> group, int rank, int size,
                   std::vector<std::string> addresses, std::chrono::milliseconds deadline, std::uint64_t fence)
      : Communicator(rank, size, deadline), group_(std::move(group)), addresses_(std::move(addresses)), fence_(fence) {}

  void abort() override {
    under_way_->end();
    const std::lock_guard lock(starting_);
    group_.reset();  // closes the connections, so that the peers notice
  }

 protected:
  // The payload goes straight from where it lies. Gloo sends from one place at a time, so the checksum follows as a
  // message of its own.
  std::unique_ptr<Transfer> start_send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) override {
    const std::uint32_t checksum = message_checksum(bytes, fence_, tag, rank(), peer);
    std::vector<at::Tensor> payload = {takes_corruption() ? damaged(as_tensor(bytes)) : as_tensor(bytes)};
    std::vector<at::Tensor> trailer = {room_for_checksum()};
    std::memcpy(trailer[0].data_ptr(), &checksum, sizeof checksum);
    return start({"send to", rank(), peer, address(peer), deadline()}, [&](const Conversation& conversation) {
      Work sending = group_->send(payload, peer, static_cast<int>(tag));
      return std::make_unique<GlooTransfer>(conversation, under_way_, std::move(sending),
                                            group_->send(trailer, peer, static_cast<int>(tag)));
    });
  }

  std::unique_ptr<Transfer> start_receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) override {
    std::vector<at::Tensor> payload = {as_tensor(bytes)};
    std::vector<at::Tensor> trailer = {room_for_checksum()};
    return start({"receive from", rank(), peer, address(peer), deadline()}, [&](const Conversation& conversation) {
      Work receiving = group_->recv(payload, peer, static_cast<int>(tag));
      return std::make_unique<GlooReceive>(conversation, under_way_, std::move(receiving),
                                           group_->recv(trailer, peer, static_cast<int>(tag)),
                                           Fenced{.payload = bytes, .fence = fence_, .tag = tag}, trailer[0]);
    });
  }

 private:
  const std::string& address(int peer) const { return addresses_.at(static_cast<std::size_t>(peer)); }

  template <typename Begin>
  std::unique_ptr<Transfer> start(const Conversation& conversation, const Begin& begin) {
    try {
      const std::lock_guard lock(starting_);
      if (!group_) {
        throw Error(kEnded);
      }
      return begin(conversation);
    } catch (const std::exception& error) {
      conversation.fail(reason(error));
    }
  }

  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::vector<std::string> addresses_;
  std::uint64_t fence_;
  std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
  std::mutex starting_;  // the process group counts its operations without one
};

}  // namespace

std::unique_ptr<Communicator> make_gloo_communicator(const Store& store, int rank, int size, const std::string& address,
                                                     std::chrono::milliseconds deadline, std::uint64_t fence) {
  std::signal(SIGPIPE, SIG_IGN);  // Gloo may write to a connection whose other end is gone; that is a CommError
  try {
    Store addresses_store = store.under("address");
    addresses_store.set(std::to_string(rank), address);
    std::vector<std::string> addresses;
    addresses.reserve(static_cast<std::size_t>(size));
    for (int peer = 0; peer < size; ++peer) {
      addresses.push_back(addresses_store.get(std::to_string(peer)));
    }
    // For connecting: transfers are waited for with the communicator's own deadline.
    auto options = c10d::ProcessGroupGloo::Options::create(store.deadline());
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    options->threads = 1;
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<C10dStore>(store.under("gloo")), rank,
                                                             size, options);
    return std::make_unique<GlooCommunicator>(std::move(group), rank, size, std::move(addresses), deadline, fence);
  } catch (const CommError&) {
    throw;
  } catch (const std::exception& error) {
    throw CommError("connecting", rank, -1, address, reason(error));
  }
}

}  // namespace resist
