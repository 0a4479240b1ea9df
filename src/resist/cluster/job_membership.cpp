#include "resist/cluster/job_membership.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include "resist/cluster/membership_watch.h"
#include "resist/cluster/mutual_reach.h"
#include "resist/cluster/rendezvous.h"
#include "resist/comm/exchange.h"
#include "resist/comm/message_checksum.h"
#include "resist/core/counted.h"

namespace resist {
namespace {

constexpr auto kKnockAgain = std::chrono::milliseconds(200);
constexpr auto kPoll = std::chrono::milliseconds(10);       // while a generation forms
constexpr auto kSoon = std::chrono::seconds(1);             // it has formed by then, unless somebody still trains:
constexpr auto kPollLater = std::chrono::milliseconds(50);  // no need to keep that one's processor busy
constexpr auto kLeastSilence = std::chrono::milliseconds(5000);
constexpr auto kJoinGrace = std::chrono::seconds(2);  // how long the others wait for one that has asked to join
constexpr auto kPatience = std::chrono::seconds(5);   // of who waits to join, with workers that give no sign of life
constexpr auto kKnock = std::chrono::seconds(3);      // how long a door may take to be reached
constexpr int kRoundsOfSilence = 3;
constexpr std::int64_t kNotForgotten = 16;  // generations that nobody may have come to forget
constexpr int kFruitless = 5;               // generations in a row that lose nobody and commit nothing

double in_seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

void log_change(const std::vector<int>& before, const std::vector<int>& now, const std::string& why) {
  std::vector<int> lost;
  std::ranges::set_difference(before, now, std::back_inserter(lost));
  std::vector<int> joined;
  std::ranges::set_difference(now, before, std::back_inserter(joined));
  if (!lost.empty()) {
    spdlog::warn("lost worker {}: {}; going on with {}", fmt::join(lost, ", "), why,
                 counted(std::ssize(now), "worker"));
  }
  if (!joined.empty()) {
    spdlog::info("joins: worker {}; going on with {}", fmt::join(joined, ", "), counted(std::ssize(now), "worker"));
  }
  if (lost.empty() && joined.empty()) {
    spdlog::warn("connections were lost: {}; connecting anew", why);
  }
}

}  // namespace

RendezvousLost::RendezvousLost(const LaunchInfo& info)
    : Error(fmt::format("the rendezvous at {}:{} is lost, and with it who could say which workers are left; if it has "
                        "ended, start it again and go on from the newest checkpoint with --resume",
                        info.rendezvous_address, info.rendezvous_port)) {
}

JobMembership::JobMembership(const JobWorker& job, std::shared_ptr<Communicator> first)
    : job_(job),
      register_(job.info, kStoreDeadline),
      mark_(register_.mark()),
      first_workers_(first->size()),
      list_{.members = everyone(first_workers_)} {
  if (job.identity == 0) {
    register_.note_start(first_workers_);
  }
  watch_ = std::make_unique<MembershipWatch>(job, mark_, std::move(first), list_);
}

JobMembership::JobMembership(const JobWorker& job, int join)
    : job_(job),
      register_(job.info, kStoreDeadline),
      mark_(register_.mark()),
      first_workers_(register_.first_workers()),
      join_(join > 0 ? join : register_.new_join()) {
  job_.identity = WorkerRegister::identity_of_join(join_, first_workers_);
  watch_ = std::make_unique<MembershipWatch>(job_, mark_, nullptr, list_);
}

JobMembership::~JobMembership() {
  try {
    if (!watch_->rendezvous_lost()) {
      register_.note_end(identity());
    }
  } catch (const Error& error) {
    spdlog::debug("can't say that this worker ends: {}", error.what());
  }
}

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

bool JobMembership::rendezvous_lost() const {
  return watch_->rendezvous_lost();
}

// Over a connection that may have been cut while nothing was said over it, or a new one.
void JobMembership::reach_job() {
  for (int connection = 0; connection < 2; ++connection) {
    try {
      if (connection > 0) {
        register_ = WorkerRegister(job_.info, kStoreDeadline);
      }
      if (register_.has_mark(mark_)) {
        return;
      }
    } catch (const Error& error) {
      spdlog::debug("the rendezvous can't be reached: {}", error.what());
    }
  }
  throw RendezvousLost(job_.info);
}

// Who is to belong to the next generation; nothing as long as somebody may still come. Who still trains is waited for,
// however long that takes; who never gave a sign of life, for half a minute; who only wants to join, not for long.
std::optional<MemberList> JobMembership::list_for(std::int64_t next, std::chrono::steady_clock::duration waited) const {
  MemberList list{.members = {}, .heard = list_.heard};
  for (const int member : list_.members) {
    if (register_.has_come(next, member)) {
      list.members.push_back(member);
    } else if (!register_.has_ended(member) && !watch_->is_silent(member) &&
               (watch_->was_heard(member) || waited < kFirstSilence)) {
      return std::nullopt;
    }
  }
  while (std::ssize(list.members) < job_.most) {
    const auto join = register_.who_asked(list.heard + 1);
    if (!join) {
      break;
    }
    ++list.heard;
    const int joiner = WorkerRegister::identity_of_join(*join, first_workers_);
    if (register_.has_come(next, joiner)) {
      list.members.push_back(joiner);
    } else if (!register_.has_ended(joiner) && waited < kJoinGrace) {
      return std::nullopt;
    }
  }
  std::ranges::sort(list.members);
  std::map<int, std::vector<int>> unreached;
  for (const int member : list.members) {
    unreached[member] = register_.unreached_by(next, member);
  }
  list.members = mutually_reachable(std::move(list.members), unreached);
  return list;
}

// A connection that was cut while nothing was said over it is made anew by next_generation(), which calls as well.
void JobMembership::call_next(const std::string& cause) {
  try {
    register_.call(generation_ + 1, cause);
  } catch (const Error& error) {
    spdlog::debug("the next generation is not called yet: {}", error.what());
  }
}

Generation JobMembership::next_generation(const std::string& cause) {
  reach_job();
  try {
    return form_generation(cause);
  } catch (const LeftOut&) {
    throw;
  } catch (const Error&) {
    reach_job();  // throws what explains it where it has been lost meanwhile
    throw;
  }
}

Generation JobMembership::form_generation(std::string why) {
  while (true) {
    const std::int64_t next = generation_ + 1;
    register_.call(next, why);
    register_.come(next, identity(), unreached_);
    const auto began = std::chrono::steady_clock::now();
    auto next_knock = began + kKnockAgain;
    while (!register_.members(next)) {
      const auto now = std::chrono::steady_clock::now();
      if (const auto list = list_for(next, now - began)) {
        register_.write(next, *list);
      } else if (now > next_knock) {
        note_those_gone(next);
        next_knock = now + kKnockAgain;
      } else {
        std::this_thread::sleep_for(now - began < kSoon ? kPoll : kPollLater);
      }
    }
    if (auto generation = enter(next, why)) {
      return std::move(*generation);
    }
  }
}

std::vector<Answer> JobMembership::knock_at(const std::vector<int>& members, std::chrono::milliseconds patience) const {
  std::vector<Endpoint> doors;
  doors.reserve(members.size());
  for (const int member : members) {
    doors.push_back(register_.door_of(member));
  }
  return knock(doors, patience);
}

// Who has ended without saying so, and nobody else has either, is not to be waited for until its silence is noticed.
void JobMembership::note_those_gone(std::int64_t next) {
  std::vector<int> missing = list_.members;
  std::erase_if(missing, [&](int member) {
    return register_.has_come(next, member) || register_.has_ended(member) || !watch_->was_heard(member);
  });
  const auto answers = knock_at(missing, kKnockAgain);
  for (std::size_t place = 0; place < missing.size(); ++place) {
    if (answers[place] == Answer::refused) {
      register_.note_end(missing[place]);
    }
  }
}

// Members whom this worker can't reach.
std::vector<int> JobMembership::out_of_reach() const {
  const auto answers = knock_at(list_.members, kKnock);
  std::vector<int> unreached;
  for (std::size_t place = 0; place < answers.size(); ++place) {
    if (answers[place] == Answer::none) {
      unreached.push_back(list_.members[place]);
    }
  }
  return unreached;
}

std::string JobMembership::why_left_out(std::int64_t generation) const {
  std::string reason = fmt::format("gave no sign of life for {:.0f} s", in_seconds(watch_->silence()));
  if (!unreached_.empty()) {
    reason = fmt::format("can't reach worker {} at {}; once it can, it may join again, with --join",
                         fmt::join(unreached_, ", "), register_.door_of(unreached_.front()).host);
  } else if (register_.has_come(generation, identity())) {
    reason = "not all of them can reach; once they can, it may join again, with --join";
  }
  return fmt::format("the other workers have gone on without worker {}, which {}", identity(), reason);
}

// What the generations before have left at the rendezvous. That can wait, so a failure is none.
void JobMembership::forget_before(std::int64_t generation) {
  try {
    // A new worker 0 does not begin at the first: the one before it has been there.
    for (forgotten_ = std::max(forgotten_, generation - kNotForgotten); forgotten_ < generation; ++forgotten_) {
      register_.forget(forgotten_);
    }
  } catch (const Error& error) {
    spdlog::debug("generation {} is not forgotten: {}", forgotten_, error.what());
  }
}

// Into a generation whose members are written down. Nothing: not all of them are left to connect with; `why` says so.
std::optional<Generation> JobMembership::enter(std::int64_t generation, std::string& why) {
  const MemberList before = std::exchange(list_, *register_.members(generation));
  generation_ = generation;
  const auto& members = list_.members;
  fruitless_ = members == before.members ? fruitless_ + 1 : 0;
  if (fruitless_ >= kFruitless) {
    throw Error(
        fmt::format("the workers lose their connections again and again, though all of them are there: {}", why));
  }
  const auto place = std::ranges::find(members, identity());
  if (place == members.end()) {
    throw LeftOut(why_left_out(generation));
  }
  const int rank = static_cast<int>(place - members.begin());
  if (rank == 0) {
    log_change(before.members, members, register_.why(generation));
  }
  try {
    std::shared_ptr<Communicator> communicator =
        make_gloo_communicator(register_.meeting_place(generation), rank, static_cast<int>(members.size()),
                               job_.address, job_.timeout, message_fence(mark_, generation));
    watch_->enter(generation, communicator, list_);
    unreached_.clear();
    if (rank == 0) {
      forget_before(generation);
    }
    return Generation{.number = generation,
                      .members = members,
                      .communicator = std::move(communicator),
                      .enough = static_cast<int>(members.size()) >= job_.least};
  } catch (const CommError& error) {
    why = error.what();  // another one was lost meanwhile, or two can't reach each other
    unreached_ = out_of_reach();
    return std::nullopt;
  }
}

Generation JobMembership::join(const std::atomic<int>& stop) {
  const int place = register_.ask_to_join(join_);
  generation_ = register_.newest_generation();
  if (std::ssize(register_.present_workers()) >= job_.most) {
    spdlog::info("all {} workers of the job are there; waiting for one of them to be lost", job_.most);
  }
  while (true) {
    const std::int64_t next = generation_ + 1;
    auto look_for_life = std::chrono::steady_clock::now() + kPatience;
    while (!register_.members(next)) {
      if (const int signal = stop.load(); signal != 0) {
        throw Interrupted(signal);
      }
      if (std::chrono::steady_clock::now() > look_for_life) {
        if (!register_.shows_life(kPatience)) {
          throw Error("the job that this worker waits to join has ended");
        }
        look_for_life = std::chrono::steady_clock::now() + kPatience;
      }
      if (register_.is_called(next)) {
        register_.come(next, identity());
      }
      std::this_thread::sleep_for(kPoll);
    }
    list_ = *register_.members(next);
    if (std::ranges::binary_search(list_.members, identity())) {
      std::string why = "somebody joins";
      auto generation = enter(next, why);
      return generation ? std::move(*generation) : next_generation(why);
    }
    if (list_.heard >= place) {
      throw Error("the workers of the job did not wait for this one to join; start it again");
    }
    generation_ = next;
  }
}

}  // namespace resist
