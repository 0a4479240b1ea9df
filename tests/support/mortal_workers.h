#pragma once

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "resist/comm/in_process.h"
#include "resist/comm/membership.h"

namespace resist {

// What a worker throws that is to end as if its process had been killed.
struct Killed {};

// The workers of one process, of which any may be lost, and others may join.
class MortalWorkers {
 public:
  using Work = std::function<void(std::shared_ptr<Communicator>, Membership&)>;
  using JoinWork = std::function<void(Generation, Membership&)>;

  // Runs `work` on `workers` threads, and `join_work` on `joiners` more that ask to join at once; returns each one's
  // error, "" for none and "killed" for one that was.
  std::vector<std::string> run(int workers, const Work& work, int joiners = 0, const JoinWork& join_work = nullptr) {
    auto first = make_in_process_group(workers, kDeadline);
    for (int identity = 0; identity < workers; ++identity) {
      alive_.insert(identity);
    }
    for (int joiner = 0; joiner < joiners; ++joiner) {
      asking_.insert(workers + joiner);
    }
    std::vector<std::string> ends(static_cast<std::size_t>(workers + joiners));
    const auto live = [&](int identity, const std::function<void(Membership&)>& life) {
      try {
        Place place(*this, identity);
        life(place);
      } catch (const Killed&) {
        ends[identity] = "killed";
      } catch (const std::exception& error) {
        ends[identity] = error.what();
      }
      leave(identity);
    };
    std::vector<std::thread> threads;
    for (int identity = 0; identity < workers; ++identity) {
      threads.emplace_back([&, identity, own = std::shared_ptr<Communicator>(std::move(first[identity]))]() mutable {
        live(identity, [&](Membership& membership) { work(std::move(own), membership); });
      });
    }
    for (int identity = workers; identity < workers + joiners; ++identity) {
      threads.emplace_back(
          [&, identity] { live(identity, [&](Membership& membership) { join_work(join(identity), membership); }); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return ends;
  }

 private:
  static constexpr std::chrono::seconds kDeadline{60};

  class Place : public Membership {
   public:
    Place(MortalWorkers& all, int identity) : all_(all), identity_(identity) {}
    int identity() const override { return identity_; }
    Generation next_generation(const std::string& /*cause*/) override { return all_.next_generation(identity_); }
    bool somebody_waits() const override {
      const std::lock_guard lock(all_.mutex_);
      return !all_.asking_.empty();
    }

   private:
    MortalWorkers& all_;
    int identity_;
  };

  Generation next_generation(int identity) {
    std::unique_lock lock(mutex_);
    waiting_.insert(identity);
    form();
    changed_.wait(lock, [&] { return !waiting_.contains(identity); });
    return own_part(identity);
  }

  Generation join(int identity) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !asking_.contains(identity); });
    return own_part(identity);
  }

  // Under the lock.
  Generation own_part(int identity) {
    const auto place = std::ranges::find(members_, identity) - members_.begin();
    return {.number = number_, .members = members_, .communicator = std::move(communicators_[place])};
  }

  // Under the lock: forms a generation when all that are left wait for one.
  void form() {
    if (waiting_.empty() || waiting_ != alive_) {
      return;
    }
    ++number_;
    alive_.insert(asking_.begin(), asking_.end());
    asking_.clear();
    members_.assign(alive_.begin(), alive_.end());
    communicators_ = make_in_process_group(static_cast<int>(members_.size()), kDeadline);
    waiting_.clear();
    changed_.notify_all();
  }

  void leave(int identity) {
    const std::lock_guard lock(mutex_);
    alive_.erase(identity);
    waiting_.erase(identity);
    form();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> alive_;
  std::set<int> waiting_;
  std::set<int> asking_;  // to join
  std::vector<int> members_;
  std::vector<std::unique_ptr<Communicator>> communicators_;
  std::int64_t number_ = 0;
};

}  // namespace resist
