#include "resist/cluster/membership_watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "resist/core/error.h"

namespace resist {
namespace {

constexpr auto kBeat = std::chrono::milliseconds(200);  // between two signs of life
constexpr auto kReconnect = std::chrono::seconds(2);
constexpr auto kSecondChance = std::chrono::seconds(1);

}  // namespace

MembershipWatch::MembershipWatch(const JobWorker& worker, std::string mark, std::shared_ptr<Communicator> first,
                                 MemberList list)
    : identity_(worker.identity),
      door_(worker.address),
      register_(worker.info, kStoreDeadline),
      info_(worker.info),
      mark_(std::move(mark)),
      most_(worker.most),
      communicator_(std::move(first)),
      list_(std::move(list)),
      silence_(kFirstSilence),
      last_contact_(std::chrono::steady_clock::now()) {
  register_.note_door(identity_, door_.place());
  register_.beat(identity_, 0);  // before it trains: who was never heard counts as one that has not begun
  thread_ = std::thread([this] { run(); });
}

MembershipWatch::~MembershipWatch() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MembershipWatch::enter(std::int64_t generation, std::shared_ptr<Communicator> communicator,
                            const MemberList& list) {
  const std::lock_guard lock(mutex_);
  generation_ = generation;
  communicator_ = std::move(communicator);
  list_ = list;
  somebody_waits_ = false;
}

void MembershipWatch::set_silence(std::chrono::milliseconds silence) {
  const std::lock_guard lock(mutex_);
  silence_ = silence;
}

std::chrono::milliseconds MembershipWatch::silence() const {
  const std::lock_guard lock(mutex_);
  return silence_;
}

bool MembershipWatch::was_heard(int member) const {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(member);
  return found != heard_.end() && !found->second.beat.empty();
}

bool MembershipWatch::is_silent(int member) const {
  const std::lock_guard lock(mutex_);
  const auto found = heard_.find(member);
  return found != heard_.end() && found->second.silent > silence_;
}

bool MembershipWatch::somebody_waits() const {
  const std::lock_guard lock(mutex_);
  return somebody_waits_;
}

bool MembershipWatch::rendezvous_lost() const {
  std::unique_lock lock(mutex_);
  const auto overdue = [this] { return std::chrono::steady_clock::now() - last_contact_ > silence_; };
  // If this process was stopped meanwhile, the next sign of life comes at once.
  return replaced_ || (overdue() && !in_contact_.wait_for(lock, kSecondChance, [&] { return !overdue(); }));
}

void MembershipWatch::run() {
  for (std::int64_t beat = 1; pause(); ++beat) {
    door_.let_go();
    try {
      register_.beat(identity_, beat);
      look();
      note_contact();
    } catch (const Error& error) {
      // The rendezvous is gone: at the end of a job, for a moment, or for good.
      spdlog::debug("no signs of life any more: {}", error.what());
      reconnect();
    }
  }
}

void MembershipWatch::note_contact() {
  const std::lock_guard lock(mutex_);
  last_contact_ = std::chrono::steady_clock::now();
  in_contact_.notify_all();
}

void MembershipWatch::reconnect() {
  try {
    WorkerRegister again(info_, kReconnect);
    const bool same = again.has_mark(mark_);
    const std::lock_guard lock(mutex_);
    replaced_ = !same;
    if (same) {
      register_ = std::move(again);
      heard_.clear();
    }
  } catch (const Error& error) {
    spdlog::debug("the rendezvous can't be reached: {}", error.what());
  }
}

// False when this thread is to end.
bool MembershipWatch::pause() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kBeat, [this] { return ends_; });
}

void MembershipWatch::look() {
  MemberList list;
  std::int64_t next = 0;
  {
    const std::lock_guard lock(mutex_);
    list = list_;
    next = generation_ + 1;
  }
  for (const int member : list.members) {
    if (member != identity_) {
      listen_to(member, next);
    }
  }
  const bool is_member = !list.members.empty();
  const bool waits = is_member && std::ssize(list.members) < most_ && register_.who_asked(list.heard + 1);
  const bool called = register_.is_called(next);
  const std::lock_guard lock(mutex_);
  if (generation_ + 1 != next) {
    return;
  }
  somebody_waits_ = waits;
  if (called && communicator_) {
    communicator_->abort();
    communicator_.reset();
  }
}

void MembershipWatch::listen_to(int member, std::int64_t next) {
  const std::string beat = register_.last_beat(member);
  std::chrono::milliseconds silent{};
  {
    const std::lock_guard lock(mutex_);
    Heard& heard = heard_[member];
    // Who has not begun yet may still read its data; if it has ended, its connections are closed.
    heard.silent = heard.beat == beat && !beat.empty() ? heard.silent + kBeat : std::chrono::milliseconds(0);
    heard.beat = beat;
    silent = heard.silent > silence_ ? heard.silent : silent;
  }
  if (silent.count() > 0) {
    register_.call(next, fmt::format("worker {} gave no sign of life for {:.0f} s", member,
                                     std::chrono::duration<double>(silent).count()));
  }
}

}  // namespace resist
