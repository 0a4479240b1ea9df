#include <fmt/format.h>
#include <torch/types.h>

#include <csignal>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>

#include "resist/comm/c10d_store.h"
#include "resist/comm/store.h"

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

class GlooTransfer : public Transfer {
 public:
  GlooTransfer(Work work, std::shared_ptr<UnderWay> under_way, const char* operation, int worker, int peer,
               std::string address, std::chrono::milliseconds deadline)
      : work_(std::move(work)),
        under_way_(std::move(under_way)),
        operation_(operation),
        worker_(worker),
        peer_(peer),
        address_(std::move(address)),
        deadline_(deadline),
        ended_(!under_way_->add(*work_)) {}
  ~GlooTransfer() override { under_way_->remove(*work_); }

  void wait() override {
    if (ended_) {
      fail(kEnded);
    }
    bool completed = false;
    try {
      completed = work_->wait(deadline_);
    } catch (const std::exception& error) {
      fail(reason(error));
    }
    if (!completed) {
      fail(kEnded);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw CommError(operation_, worker_, peer_, address_, cause);
  }

  Work work_;
  std::shared_ptr<UnderWay> under_way_;
  const char* operation_;
  int worker_;
  int peer_;
  std::string address_;
  std::chrono::milliseconds deadline_;
  bool ended_;  // before it had begun
};

class GlooCommunicator : public Communicator {
 public:
  GlooCommunicator(c10::intrusive_ptr<c10d::ProcessGroupGloo> group, int rank, int size,
                   std::vector<std::string> addresses, std::chrono::milliseconds deadline)
      : Communicator(rank, size, deadline), group_(std::move(group)), addresses_(std::move(addresses)) {}

  void abort() override {
    under_way_->end();
    const std::lock_guard lock(starting_);
    group_.reset();  // closes the connections, so that the peers notice
  }

 protected:
  std::unique_ptr<Transfer> start_send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) override {
    // Gloo takes a mutable tensor but only reads it.
    auto* data = const_cast<std::byte*>(bytes.data());
    return start("send to", data, bytes.size(), peer,
                 [&](std::vector<at::Tensor>& tensors) { return group_->send(tensors, peer, static_cast<int>(tag)); });
  }

  std::unique_ptr<Transfer> start_receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) override {
    return start("receive from", bytes.data(), bytes.size(), peer,
                 [&](std::vector<at::Tensor>& tensors) { return group_->recv(tensors, peer, static_cast<int>(tag)); });
  }

 private:
  template <typename Start>
  std::unique_ptr<Transfer> start(const char* operation, std::byte* data, std::size_t size, int peer,
                                  const Start& start_work) {
    const std::string& address = addresses_.at(static_cast<std::size_t>(peer));
    try {
      std::vector<at::Tensor> tensors = {at::from_blob(data, {static_cast<std::int64_t>(size)}, at::kByte)};
      const std::lock_guard lock(starting_);
      if (!group_) {
        throw Error(kEnded);
      }
      return std::make_unique<GlooTransfer>(start_work(tensors), under_way_, operation, rank(), peer, address,
                                            deadline());
    } catch (const std::exception& error) {
      throw CommError(operation, rank(), peer, address, reason(error));
    }
  }

  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::vector<std::string> addresses_;
  std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
  std::mutex starting_;  // the process group counts its operations without one
};

}  // namespace

std::unique_ptr<Communicator> make_gloo_communicator(const Store& store, int rank, int size, const std::string& address,
                                                     std::chrono::milliseconds deadline) {
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
    return std::make_unique<GlooCommunicator>(std::move(group), rank, size, std::move(addresses), deadline);
  } catch (const CommError&) {
    throw;
  } catch (const std::exception& error) {
    throw CommError("connecting", rank, -1, address, reason(error));
  }
}

}  // namespace resist
