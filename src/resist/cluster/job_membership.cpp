#include "resist/cluster/job_membership.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "resist/cluster/rendezvous.h"
#include "resist/comm/exchange.h"

namespace resist {
namespace {

constexpr auto kBeat = std::chrono::milliseconds(200);     // between two signs of life
constexpr auto kPoll = std::chrono::milliseconds(10);      // while a generation forms
constexpr auto kStoreDeadline = std::chrono::seconds(10);  // of one request, and of connecting
constexpr auto kReconnect = std::chrono::seconds(2);
constexpr auto kFirstSilence = std::chrono::milliseconds(30000);  // until a round has been timed
constexpr auto kLeastSilence = std::chrono::milliseconds(5000);
constexpr auto kJoinGrace = std::chrono::seconds(2);  // how long the others wait for one that has asked to join
constexpr int kRoundsOfSilence = 3;
constexpr int kFruitless = 5;  // generations in a row that lose nobody and commit nothing

double in_seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

void log_change(const std::vector<int>& before, const std::vector<int>& now, const std::string& why) {
  std::vector<int> lost;
  std::ranges::set_difference(before, now, std::back_inserter(lost));
  std::vector<int> joined;
  std::ranges::set_difference(now, before, std::back_inserter(joined));
  if (!lost.empty()) {
    spdlog::warn("lost worker {}: {}; going on with {}", fmt::join(lost, ", "), why, now.size());
  }
  if (!joined.empty()) {
    spdlog::info("worker {} joins; {} workers go on", fmt::join(joined, ", "), now.size());
  }
  if (lost.empty() && joined.empty()) {
    spdlog::warn("connections were lost: {}; connecting anew", why);
  }
}

}  // namespace

WorkerRegister::WorkerRegister(const LaunchInfo& info, std::chrono::milliseconds deadline)
    : WorkerRegister(job_store(info, deadline)) {
}

std::string WorkerRegister::last_beat(int identity) const {
  return store_.find(beat_key(identity)).value_or("");
}

void WorkerRegister::write(std::int64_t generation, const MemberList& list) {
  store_.set_first(members_key(generation), fmt::format("{} {}", list.joins, fmt::join(list.members, " ")));
}

std::optional<MemberList> WorkerRegister::members(std::int64_t generation) const {
  const auto text = store_.find(members_key(generation));
  if (!text) {
    return std::nullopt;
  }
  std::istringstream in(*text);
  MemberList list;
  in >> list.joins;
  for (int member = 0; in >> member;) {
    list.members.push_back(member);
  }
  return list;
}

void WorkerRegister::forget(std::int64_t generation) {
  store_.forget(place_key(generation));
  store_.forget(here_key(generation));
}

// The thread that gives this worker's signs of life and looks for the others'.
class JobMembership::Watch {
 public:
  Watch(const Job& job, std::shared_ptr<Communicator> first, MemberList list)
      : identity_(job.identity),
        register_(job.info, kStoreDeadline),
        info_(job.info),
        communicator_(std::move(first)),
        list_(std::move(list)),
        silence_(kFirstSilence),
        thread_([this] { run(); }) {}

  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void enter(std::int64_t generation, std::shared_ptr<Communicator> communicator, const MemberList& list) {
    const std::lock_guard lock(mutex_);
    generation_ = generation;
    communicator_ = std::move(communicator);
    list_ = list;
    somebody_waits_ = false;
  }

  void set_silence(std::chrono::milliseconds silence) {
    const std::lock_guard lock(mutex_);
    silence_ = silence;
  }
  std::chrono::milliseconds silence() const {
    const std::lock_guard lock(mutex_);
    return silence_;
  }

  bool was_heard(int member) const {
    const std::lock_guard lock(mutex_);
    const auto found = heard_.find(member);
    return found != heard_.end() && !found->second.beat.empty();
  }

  bool is_silent(int member) const {
    const std::lock_guard lock(mutex_);
    const auto found = heard_.find(member);
    return found != heard_.end() && found->second.silent > silence_;
  }

  bool somebody_waits() const {
    const std::lock_guard lock(mutex_);
    return somebody_waits_;
  }

 private:
  struct Heard {
    std::string beat;
    // Counted in this thread's own looks, not in time that has passed: if this process was stopped, nobody else was.
    std::chrono::milliseconds silent{0};
  };

  void run() {
    for (std::int64_t beat = 0; pause(); ++beat) {
      try {
        register_.beat(identity_, beat);
        look();
      } catch (const Error& error) {
        // The rendezvous is gone: at the end of a job, for a moment, or for good, and then the next loss ends it.
        spdlog::debug("no signs of life any more: {}", error.what());
        reconnect();
      }
    }
  }

  void reconnect() {
    try {
      register_ = WorkerRegister(info_, kReconnect);
      const std::lock_guard lock(mutex_);
      heard_.clear();
    } catch (const Error& error) {
      spdlog::debug("the rendezvous can't be reached: {}", error.what());
    }
  }

  // False when this thread is to end.
  bool pause() {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, kBeat, [this] { return ends_; });
  }

  void look() {
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
    const bool waits = !list.members.empty() && register_.has_asked(list.joins + 1);
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

  void listen_to(int member, std::int64_t next) {
    const std::string beat = register_.last_beat(member);
    std::chrono::milliseconds silent{};
    {
      const std::lock_guard lock(mutex_);
      Heard& heard = heard_[member];
      heard.silent = heard.beat == beat ? heard.silent + kBeat : std::chrono::milliseconds(0);
      heard.beat = beat;
      silent = heard.silent > silence_ ? heard.silent : silent;
    }
    if (silent.count() > 0) {
      register_.call(next, fmt::format("worker {} gave no sign of life for {:.0f} s", member, in_seconds(silent)));
    }
  }

  int identity_;
  WorkerRegister register_;  // with a connection of its own
  LaunchInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t generation_ = 0;  // these are guarded
  std::shared_ptr<Communicator> communicator_;
  MemberList list_;
  std::chrono::milliseconds silence_;
  std::map<int, Heard> heard_;
  bool somebody_waits_ = false;
  bool ends_ = false;
  std::thread thread_;  // last: it uses all of them
};

JobMembership::JobMembership(const Job& job, std::shared_ptr<Communicator> first)
    : job_(job),
      register_(job.info, kStoreDeadline),
      first_workers_(first->size()),
      list_{.members = everyone(first_workers_), .joins = 0} {
  if (job.identity == 0) {
    register_.note_start(first_workers_);
  }
  watch_ = std::make_unique<Watch>(job, std::move(first), list_);
}

JobMembership::JobMembership(const Job& job, int join)
    : job_(job), register_(job.info, kStoreDeadline), first_workers_(register_.first_workers()), join_(join) {
  job_.identity = WorkerRegister::identity_of_join(join, first_workers_);
  watch_ = std::make_unique<Watch>(job_, nullptr, list_);
}

JobMembership::~JobMembership() = default;

bool JobMembership::somebody_waits() const {
  return watch_->somebody_waits();
}

void JobMembership::round_took(double seconds) {
  fruitless_ = 0;
  const auto rounds = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * kRoundsOfSilence * seconds));
  const auto silence = std::min(job_.timeout, std::max(kLeastSilence, rounds));
  const auto before = watch_->silence();
  if (timed_ && silence <= before) {
    return;
  }
  watch_->set_silence(silence);
  if (!std::exchange(timed_, true) && identity() == list_.members.front()) {
    spdlog::info("a worker that gives no sign of life for {:.0f} s is taken for lost", in_seconds(silence));
  }
}

// Who is to belong to the next generation; nothing as long as somebody may still come. Who still trains is waited for,
// however long that takes; who never gave a sign of life, for half a minute; who only wants to join, not for long.
std::optional<MemberList> JobMembership::list_for(std::int64_t next, std::chrono::steady_clock::duration waited) const {
  MemberList list{.members = {}, .joins = list_.joins};
  for (const int member : list_.members) {
    if (register_.has_come(next, member)) {
      list.members.push_back(member);
    } else if (!register_.has_ended(member) && !watch_->is_silent(member) &&
               (watch_->was_heard(member) || waited < kFirstSilence)) {
      return std::nullopt;
    }
  }
  while (register_.has_asked(list.joins + 1)) {
    ++list.joins;
    const int joiner = WorkerRegister::identity_of_join(list.joins, first_workers_);
    if (register_.has_come(next, joiner)) {
      list.members.push_back(joiner);
    } else if (!register_.has_ended(joiner) && waited < kJoinGrace) {
      return std::nullopt;
    }
  }
  return list;
}

Generation JobMembership::next_generation(const std::string& cause) {
  std::string why = cause;
  while (true) {
    const std::int64_t next = generation_ + 1;
    register_.call(next, why);
    register_.come(next, identity());
    const auto began = std::chrono::steady_clock::now();
    while (!register_.members(next)) {
      if (const auto list = list_for(next, std::chrono::steady_clock::now() - began)) {
        register_.write(next, *list);
      } else {
        std::this_thread::sleep_for(kPoll);
      }
    }
    if (auto generation = enter(next, why)) {
      return std::move(*generation);
    }
  }
}

// Into a generation whose members are written down. Nothing: not all of them are left to connect with; `why` says so.
std::optional<Generation> JobMembership::enter(std::int64_t generation, std::string& why) {
  const MemberList before = std::exchange(list_, *register_.members(generation));
  generation_ = generation;
  const auto& members = list_.members;
  fruitless_ = members == before.members ? fruitless_ + 1 : 0;
  if (fruitless_ > kFruitless) {
    throw Error(
        fmt::format("the workers lose their connections again and again, though all of them are there: {}", why));
  }
  const auto place = std::ranges::find(members, identity());
  if (place == members.end()) {
    throw LeftOut(
        fmt::format("the other workers have gone on without worker {}, which gave no sign of life for {:.0f} s",
                    identity(), in_seconds(watch_->silence())));
  }
  const int rank = static_cast<int>(place - members.begin());
  if (rank == 0) {
    log_change(before.members, members, why);
  }
  try {
    std::shared_ptr<Communicator> communicator = make_gloo_communicator(
        register_.meeting_place(generation), rank, static_cast<int>(members.size()), job_.address, job_.timeout);
    watch_->enter(generation, communicator, list_);
    if (rank == 0) {
      register_.forget(generation - 1);
    }
    return Generation{.number = generation,
                      .members = members,
                      .communicator = std::move(communicator),
                      .enough = static_cast<int>(members.size()) >= job_.least};
  } catch (const CommError& error) {
    why = error.what();  // another one was lost meanwhile
    return std::nullopt;
  }
}

Generation JobMembership::join(const std::atomic<int>& stop) {
  register_.ask_to_join(join_);
  while (true) {
    while (register_.members(generation_ + 1)) {
      ++generation_;
    }
    const std::int64_t next = generation_ + 1;
    while (!register_.members(next)) {
      if (const int signal = stop.load(); signal != 0) {
        throw Interrupted(signal);
      }
      if (register_.is_called(next)) {
        register_.come(next, identity());
      }
      std::this_thread::sleep_for(kPoll);
    }
    const auto list = register_.members(next);
    if (!std::ranges::binary_search(list->members, identity())) {
      if (list->joins >= join_) {
        throw Error("the workers of the job did not wait for this one to join; start it again");
      }
      continue;
    }
    list_ = *list;
    std::string why = "somebody joins";
    if (auto generation = enter(next, why)) {
      return std::move(*generation);
    }
    return next_generation(why);
  }
}

}  // namespace resist
