#include "resist/cluster/worker_register.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <random>
#include <sstream>
#include <thread>

#include "resist/comm/exchange.h"

namespace resist {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);  // between two looks at signs of life

std::string job_name_key(std::size_t number) {
  return fmt::format("resist-jobs/{}", number);
}

std::vector<int> read_numbers(std::istream& in) {
  std::vector<int> numbers;
  for (int number = 0; in >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::string name_of_attempt(const std::string& job, int attempt) {
  return fmt::format("{}.{}", job, attempt);
}

Store job_store(const Store& served, const std::string& name) {
  return served.under("resist/" + name);
}

Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline) {
  return job_store(Store::join(info.rendezvous_address, info.rendezvous_port, deadline, {.token = info.token}),
                   info.job);
}

void add_job_name(Store& served, const std::string& name) {
  for (std::size_t number = 0; served.set_first(job_name_key(number), name) != name;) {
    ++number;
  }
}

std::vector<std::string> job_names(const Store& served) {
  std::vector<std::string> names;
  while (served.has(job_name_key(names.size()))) {
    names.push_back(served.get(job_name_key(names.size())));
  }
  return names;
}

bool WorkerRegister::shows_life(std::chrono::milliseconds patience) const {
  const std::vector<int> workers = present_workers();
  std::vector<std::string> beats(workers.size());
  std::ranges::transform(workers, beats.begin(), [&](int worker) { return last_beat(worker); });
  const auto end = std::chrono::steady_clock::now() + patience;
  std::vector<bool> ended(workers.size());
  while (std::chrono::steady_clock::now() < end && !std::ranges::all_of(ended, std::identity())) {
    std::this_thread::sleep_for(kLook);
    for (std::size_t place = 0; place < workers.size(); ++place) {
      ended[place] = has_ended(workers[place]);
      if (!ended[place] && last_beat(workers[place]) != beats[place]) {
        return true;
      }
    }
  }
  return false;
}

std::string WorkerRegister::mark() {
  std::random_device random;
  return store_.set_first("mark", fmt::format("{:08x}{:08x}", random(), random()));
}

std::string WorkerRegister::last_beat(int identity) const {
  return store_.find(beat_key(identity)).value_or("");
}

int WorkerRegister::ask_to_join(int join) {
  // A place is taken in one step, so that who is lost while asking leaves none empty. The count only says where the
  // free ones begin, or a little before.
  int place = static_cast<int>(store_.add("asked", 0)) + 1;
  while (store_.set_first(queue_key(place), std::to_string(join)) != std::to_string(join)) {
    ++place;
  }
  store_.add("asked", 1);
  return place;
}

std::optional<int> WorkerRegister::who_asked(int place) const {
  const auto join = store_.find(queue_key(place));
  return join ? std::optional(std::stoi(*join)) : std::nullopt;
}

void WorkerRegister::note_door(int identity, const Endpoint& door) {
  store_.set(door_key(identity), fmt::format("{} {}", door.port, door.host));
}

Endpoint WorkerRegister::door_of(int identity) const {
  std::istringstream in(store_.get(door_key(identity)));
  Endpoint door;
  in >> door.port >> door.host;
  return door;
}

void WorkerRegister::come(std::int64_t generation, int identity, const std::vector<int>& unreached) {
  store_.set(here_key(generation, identity), fmt::format("{}", fmt::join(unreached, " ")));
}

std::vector<int> WorkerRegister::unreached_by(std::int64_t generation, int identity) const {
  std::istringstream in(store_.find(here_key(generation, identity)).value_or(""));
  return read_numbers(in);
}

void WorkerRegister::write(std::int64_t generation, const MemberList& list) {
  store_.set_first(members_key(generation), fmt::format("{} {}", list.heard, fmt::join(list.members, " ")));
  store_.set("newest", std::to_string(generation));
}

std::optional<MemberList> WorkerRegister::members(std::int64_t generation) const {
  const auto text = store_.find(members_key(generation));
  if (!text) {
    return std::nullopt;
  }
  std::istringstream in(*text);
  MemberList list;
  in >> list.heard;
  list.members = read_numbers(in);
  return list;
}

void WorkerRegister::forget(std::int64_t generation) {
  store_.forget(place_key(generation));
  store_.forget(here_key(generation));
}

std::int64_t WorkerRegister::newest_generation() const {
  // Who writes one late may say of an older one that it is the newest.
  std::int64_t newest = std::stoll(store_.find("newest").value_or("0"));
  while (store_.has(members_key(newest + 1))) {
    ++newest;
  }
  return newest;
}

std::vector<int> WorkerRegister::present_workers() const {
  const auto newest = members(newest_generation());
  return newest ? newest->members : everyone(first_workers());
}

}  // namespace resist
