#include "resist/comm/in_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace resist {
namespace {

// One side of a message that waits for, or has met, the other side. Guarded by its channel's mutex.
struct Post {
  std::uint32_t tag = 0;
  std::span<const std::byte> source;  // of a send
  std::span<std::byte> target;        // of a receive
  bool done = false;
  std::string failure;
};

// Messages from one worker to another. Unmatched posts of one tag are all sends or all receives.
struct Channel {
  std::mutex mutex;
  std::condition_variable changed;
  // In the order in which they came; few at a time.
  std::vector<Post*> sends;
  std::vector<Post*> receives;
  bool closed = false;
};

struct Group {
  explicit Group(int workers) : size(workers), channels(static_cast<std::size_t>(workers) * workers) {}
  Channel& channel(int from, int to) { return channels[static_cast<std::size_t>(from) * size + to]; }
  int size;
  std::vector<Channel> channels;
};

void move_bytes(Post& send, Post& receive) {
  if (send.source.size() != receive.target.size()) {
    send.failure = receive.failure =
        fmt::format("{} bytes were sent but {} expected", send.source.size(), receive.target.size());
  } else {
    std::memcpy(receive.target.data(), send.source.data(), send.source.size());
  }
  send.done = receive.done = true;
}

class InProcessTransfer : public Transfer {
 public:
  InProcessTransfer(std::shared_ptr<Group> group, Channel& channel, Post post, const char* operation, int worker,
                    int peer, std::chrono::milliseconds deadline)
      : group_(std::move(group)),
        channel_(channel),
        post_(std::move(post)),
        operation_(operation),
        worker_(worker),
        peer_(peer),
        deadline_(deadline) {
    const std::lock_guard lock(channel_.mutex);
    auto& opposite = is_send() ? channel_.receives : channel_.sends;
    const auto first = std::ranges::find(opposite, post_.tag, [](const Post* waiting) { return waiting->tag; });
    if (first == opposite.end()) {
      own_queue().push_back(&post_);
      return;
    }
    Post& other = **first;
    opposite.erase(first);
    is_send() ? move_bytes(post_, other) : move_bytes(other, post_);
    channel_.changed.notify_all();
  }

  ~InProcessTransfer() override {
    const std::lock_guard lock(channel_.mutex);
    if (!post_.done) {
      std::erase(own_queue(), &post_);
    }
  }

  void wait() override {
    std::unique_lock lock(channel_.mutex);
    const bool in_time = channel_.changed.wait_for(lock, deadline_, [this] { return post_.done || channel_.closed; });
    std::string failure = post_.failure;
    if (!post_.done) {
      failure = in_time ? "the other worker is gone" : fmt::format("no answer within {} ms", deadline_.count());
    }
    if (!failure.empty()) {
      throw CommError(operation_, worker_, peer_, "", failure);
    }
  }

 private:
  bool is_send() const { return post_.target.data() == nullptr; }
  std::vector<Post*>& own_queue() { return is_send() ? channel_.sends : channel_.receives; }

  std::shared_ptr<Group> group_;
  Channel& channel_;
  Post post_;
  const char* operation_;
  int worker_;
  int peer_;
  std::chrono::milliseconds deadline_;
};

class InProcessCommunicator : public Communicator {
 public:
  InProcessCommunicator(int rank, std::shared_ptr<Group> group, std::chrono::milliseconds deadline)
      : Communicator(rank, group->size, deadline), group_(std::move(group)) {}

  ~InProcessCommunicator() override { close_all(); }

  void abort() override { close_all(); }

 protected:
  std::unique_ptr<Transfer> start_send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) override {
    return std::make_unique<InProcessTransfer>(group_, group_->channel(rank(), peer), Post{.tag = tag, .source = bytes},
                                               "send to", rank(), peer, deadline());
  }
  std::unique_ptr<Transfer> start_receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) override {
    return std::make_unique<InProcessTransfer>(group_, group_->channel(peer, rank()), Post{.tag = tag, .target = bytes},
                                               "receive from", rank(), peer, deadline());
  }

 private:
  void close_all() {
    for (int peer = 0; peer < size(); ++peer) {
      close(group_->channel(rank(), peer));
      close(group_->channel(peer, rank()));
    }
  }

  static void close(Channel& channel) {
    const std::lock_guard lock(channel.mutex);
    channel.closed = true;
    channel.changed.notify_all();
  }

  std::shared_ptr<Group> group_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_in_process_group(int size, std::chrono::milliseconds deadline) {
  auto group = std::make_shared<Group>(size);
  std::vector<std::unique_ptr<Communicator>> communicators;
  communicators.reserve(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) {
    communicators.push_back(std::make_unique<InProcessCommunicator>(rank, group, deadline));
  }
  return communicators;
}

}  // namespace resist
