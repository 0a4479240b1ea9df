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

#include "resist/comm/exchange.h"

namespace resist {
namespace {

constexpr auto kBeat = std::chrono::milliseconds(200);     // between two signs of life
constexpr auto kPoll = std::chrono::milliseconds(10);      // while a generation forms
constexpr auto kStoreDeadline = std::chrono::seconds(10);  // of one request, and of connecting
constexpr auto kLeastSilence = std::chrono::milliseconds(5000);
constexpr int kRoundsOfSilence = 3;
constexpr int kFruitless = 5;  // generations in a row that lose nobody and commit nothing

std::string beat_key(int identity) {
  return fmt::format("beat/{}", identity);
}
std::string call_key(std::int64_t generation) {
  return fmt::format("call/{}", generation);
}
std::string here_key(std::int64_t generation, int identity) {
  return fmt::format("here/{}/{}", generation, identity);
}

std::vector<int> read_members(const std::string& text) {
  std::vector<int> members;
  std::istringstream in(text);
  for (int member = 0; in >> member;) {
    members.push_back(member);
  }
  return members;
}

std::string write_members(const std::vector<int>& members) {
  return fmt::format("{}", fmt::join(members, " "));
}

}  // namespace

Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline) {
  return Store::join(info.rendezvous_address, info.rendezvous_port, deadline).under("resist/" + info.job);
}

std::optional<std::vector<int>> WorkerRegister::members(std::int64_t generation) const {
  const std::string key = members_key(generation);
  return store_.has(key) ? std::optional(read_members(store_.get(key))) : std::nullopt;
}

// The thread that gives this worker's signs of life and looks for the others'.
class JobMembership::Watch {
 public:
  Watch(const Job& job, std::shared_ptr<Communicator> first, std::vector<int> members)
      : identity_(job.info.rank),
        store_(job_store(job.info, kStoreDeadline).under("membership")),
        communicator_(std::move(first)),
        members_(std::move(members)),
        silence_(job.timeout),
        thread_([this] { run(); }) {}

  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void enter(std::int64_t generation, std::shared_ptr<Communicator> communicator, const std::vector<int>& members) {
    const std::lock_guard lock(mutex_);
    generation_ = generation;
    communicator_ = std::move(communicator);
    members_ = members;
  }

  void set_silence(std::chrono::milliseconds silence) {
    const std::lock_guard lock(mutex_);
    silence_ = silence;
  }
  std::chrono::milliseconds silence() const {
    const std::lock_guard lock(mutex_);
    return silence_;
  }

  // For how long a member has given no sign of life.
  std::chrono::milliseconds silent(int member) const {
    const std::lock_guard lock(mutex_);
    const auto found = heard_.find(member);
    return found == heard_.end() ? std::chrono::milliseconds(0) : found->second.silent;
  }

 private:
  struct Heard {
    std::string beat;
    // Counted in this thread's own looks, not in time that has passed: if this process was stopped, nobody else was.
    std::chrono::milliseconds silent{0};
  };

  void run() {
    try {
      for (std::int64_t beat = 0; pause(); ++beat) {
        store_.set(beat_key(identity_), std::to_string(beat));
        look();
      }
    } catch (const Error& error) {
      // The coordinator is gone: at the end of a job, or for good, and then the next loss ends it.
      spdlog::debug("no signs of life any more: {}", error.what());
    }
  }

  // False when this thread is to end.
  bool pause() {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, kBeat, [this] { return ends_; });
  }

  void look() {
    std::vector<int> members;
    std::int64_t next = 0;
    std::chrono::milliseconds silence{};
    {
      const std::lock_guard lock(mutex_);
      members = members_;
      next = generation_ + 1;
      silence = silence_;
    }
    for (const int member : members) {
      if (member == identity_ || !store_.has(beat_key(member))) {
        continue;
      }
      const std::string beat = store_.get(beat_key(member));
      std::chrono::milliseconds silent{};
      {
        const std::lock_guard lock(mutex_);
        Heard& heard = heard_[member];
        heard.silent = heard.beat == beat ? heard.silent + kBeat : std::chrono::milliseconds(0);
        heard.beat = beat;
        silent = heard.silent;
      }
      if (silent > silence) {
        store_.set(call_key(next), fmt::format("worker {} gave no sign of life for {:.0f} s", member,
                                               std::chrono::duration<double>(silent).count()));
      }
    }
    if (store_.has(call_key(next))) {
      const std::lock_guard lock(mutex_);
      if (generation_ + 1 == next && communicator_) {
        communicator_->abort();
        communicator_.reset();
      }
    }
  }

  int identity_;
  Store store_;  // this thread's own connection
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t generation_ = 0;  // these are guarded
  std::shared_ptr<Communicator> communicator_;
  std::vector<int> members_;
  std::chrono::milliseconds silence_;
  std::map<int, Heard> heard_;
  bool ends_ = false;
  std::thread thread_;  // last: it uses all of them
};

JobMembership::JobMembership(const Job& job, std::shared_ptr<Communicator> first)
    : job_(job), register_(job_store(job.info, kStoreDeadline).under("membership")), members_(everyone(first->size())) {
  if (job.info.rank == 0) {
    register_.note_start();
  }
  watch_ = std::make_unique<Watch>(job, std::move(first), members_);
}

JobMembership::~JobMembership() = default;

int JobMembership::identity() const {
  return job_.info.rank;
}

void JobMembership::round_took(double seconds) {
  fruitless_ = 0;
  const auto rounds = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * kRoundsOfSilence * seconds));
  const auto silence = std::min(job_.timeout, std::max(kLeastSilence, rounds));
  const auto before = watch_->silence();
  if (before == job_.timeout || silence > before) {
    watch_->set_silence(silence);
    if (job_.info.rank == members_.front() && before == job_.timeout) {
      spdlog::info("a worker that gives no sign of life for {:.0f} s is taken for lost",
                   std::chrono::duration<double>(silence).count());
    }
  }
}

Generation JobMembership::next_generation(const std::string& cause) {
  std::string why = cause;
  while (true) {
    const std::int64_t next = generation_ + 1;
    Store& store = register_.store_;
    store.set(call_key(next), why);
    store.set(here_key(next, identity()), job_.address);
    const auto began = std::chrono::steady_clock::now();
    while (!store.has(WorkerRegister::members_key(next))) {
      const bool late = std::chrono::steady_clock::now() - began > job_.timeout;
      std::vector<int> here;
      bool all = true;
      for (const int member : members_) {
        if (store.has(here_key(next, member))) {
          here.push_back(member);
        } else {
          all =
              all && (late || store.has(WorkerRegister::end_key(member)) || watch_->silent(member) > watch_->silence());
        }
      }
      if (all) {
        store.set_first(WorkerRegister::members_key(next), write_members(here));
      } else {
        std::this_thread::sleep_for(kPoll);
      }
    }
    const std::vector<int> before = std::exchange(members_, *register_.members(next));
    fruitless_ = members_ == before ? fruitless_ + 1 : 0;
    if (fruitless_ > kFruitless) {
      throw Error(
          fmt::format("the workers lose their connections again and again, though all of them are there: {}", why));
    }
    generation_ = next;
    const auto place = std::ranges::find(members_, identity());
    if (place == members_.end()) {
      throw LeftOut(
          fmt::format("the other workers have gone on without worker {}, which gave no sign of life for {:.0f} s",
                      identity(), std::chrono::duration<double>(watch_->silence()).count()));
    }
    const int rank = static_cast<int>(place - members_.begin());
    if (rank == 0) {
      std::vector<int> lost;
      std::ranges::set_difference(before, members_, std::back_inserter(lost));
      spdlog::warn("{}: {}; going on with {} workers",
                   lost.empty() ? "connections were lost" : fmt::format("lost worker {}", fmt::join(lost, ", ")), why,
                   members_.size());
    }
    try {
      std::shared_ptr<Communicator> communicator =
          make_gloo_communicator(store.under(fmt::format("data/{}", next)), rank, static_cast<int>(members_.size()),
                                 job_.address, job_.timeout);
      watch_->enter(next, communicator, members_);
      return {.number = next,
              .members = members_,
              .communicator = std::move(communicator),
              .enough = static_cast<int>(members_.size()) >= job_.least};
    } catch (const CommError& error) {
      why = error.what();  // another one was lost meanwhile
    }
  }
}

}  // namespace resist
