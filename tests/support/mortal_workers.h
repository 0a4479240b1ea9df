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

// The workers of one process, of which any may be lost.
class MortalWorkers {
 public:
  // Runs `work` on `workers` threads and returns each one's error, "" for none and "killed" for one that was.
  std::vector<std::string> run(int workers, const std::function<void(Communicator&, Membership&)>& work) {
    auto first = make_in_process_group(workers, kDeadline);
    for (int identity = 0; identity < workers; ++identity) {
      alive_.insert(identity);
    }
    std::vector<std::string> ends(first.size());
    std::vector<std::thread> threads;
    for (int identity = 0; identity < workers; ++identity) {
      threads.emplace_back([&, identity, own = std::shared_ptr<Communicator>(std::move(first[identity]))]() mutable {
        try {
          Place place(*this, identity);
          work(*own, place);
        } catch (const Killed&) {
          ends[identity] = "killed";
        } catch (const std::exception& error) {
          ends[identity] = error.what();
        }
        leave(identity);
        own.reset();
      });
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

   private:
    MortalWorkers& all_;
    int identity_;
  };

  Generation next_generation(int identity) {
    std::unique_lock lock(mutex_);
    waiting_.insert(identity);
    form();
    changed_.wait(lock, [&] { return !waiting_.contains(identity); });
    const auto place = std::ranges::find(members_, identity) - members_.begin();
    return {.number = number_, .members = members_, .communicator = std::move(communicators_[place])};
  }

  // Under the lock: forms a generation when all that are left wait for one.
  void form() {
    if (waiting_.empty() || waiting_ != alive_) {
      return;
    }
    ++number_;
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
  std::vector<int> members_;
  std::vector<std::unique_ptr<Communicator>> communicators_;
  std::int64_t number_ = 0;
};

}  // namespace resist
