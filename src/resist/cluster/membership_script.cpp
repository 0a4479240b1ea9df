#include "resist/cluster/membership_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "resist/comm/exchange.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr int kMostWorkers = 100'000;

void check_members(const std::vector<int>& members) {
  const bool ascending = std::ranges::adjacent_find(members, std::greater_equal<>()) == members.end();
  if (members.empty() || !ascending || members.front() < 0 || members.back() >= kMostWorkers) {
    throw InputError(
        fmt::format("the history has a list of members that is empty, not ascending or beyond {}", kMostWorkers));
  }
}

// The records of one start.
struct Part {
  StartRecord start;
  std::vector<const CommitRecord*> commits;
  // By the rounds committed before. A generation is written down before the commit that it rolled forward to.
  std::multimap<std::int64_t, const GenerationRecord*> between_rounds;
};

std::vector<Part> split(const std::vector<HistoryRecord>& history) {
  std::vector<Part> parts;
  for (const HistoryRecord& record : history) {
    if (const auto* start = std::get_if<StartRecord>(&record)) {
      parts.push_back({.start = *start, .commits = {}, .between_rounds = {}});
      continue;
    }
    if (parts.empty()) {
      throw InputError("the history does not begin with a start");
    }
    if (const auto* commit = std::get_if<CommitRecord>(&record)) {
      parts.back().commits.push_back(commit);
    } else if (const auto& generation = std::get<GenerationRecord>(record); !generation.round_kept) {
      parts.back().between_rounds.emplace(generation.round, &generation);
    }
  }
  return parts;
}

class ScriptWriter {
 public:
  ScriptWriter(const StartRecord& start, bool each_step_together) : each_step_together_(each_step_together) {
    if (start.workers < 1 || start.workers > kMostWorkers) {
      throw InputError(
          fmt::format("the history starts with {} workers; 1 to {} are allowed", start.workers, kMostWorkers));
    }
    members_ = everyone(start.workers);
    script_ = {
        .workers = start.workers, .options = start.options, .first_round = start.round, .last_round = start.round};
  }

  void commit(const CommitRecord& record) {
    if (record.round != script_.last_round + 1) {
      throw InputError(fmt::format("the history goes from round {} to round {}", script_.last_round, record.round));
    }
    if (record.contributions.empty()) {
      throw InputError(fmt::format("the history says of nobody that he trained in round {}", record.round));
    }
    if (record.generation != generation_) {
      change({.rounds = script_.last_round,
              .iterations = each_step_together_ ? record.contributions.front().iterations : 0,
              .in_round = true,
              .generation = record.generation,
              .members = record.members,
              .idle = idle_in(record)});
    }
    script_.last_round = record.round;
    members_ = record.members;
    script_.blocks[{record.generation, record.round}] = record.next_blocks;
  }

  void change_between_rounds(std::int64_t round, const GenerationRecord& record) {
    change({.rounds = round, .generation = record.generation, .members = record.members});
    script_.blocks[{record.generation, round}] = record.next_blocks;
  }

  void change(MembershipScript::Change change) {
    check_members(change.members);
    if (change.generation <= generation_) {
      throw InputError(
          fmt::format("the history goes from generation {} to generation {}", generation_, change.generation));
    }
    generation_ = change.generation;
    members_ = change.members;
    script_.changes.push_back(std::move(change));
  }

  const MembershipScript& script() const { return script_; }

 private:
  std::vector<int> idle_in(const CommitRecord& record) const {
    std::vector<int> idle;
    std::ranges::copy_if(record.members, std::back_inserter(idle), [&](int member) {
      return std::ranges::binary_search(members_, member) &&
             std::ranges::find(record.contributions, member, &Contribution::worker) == record.contributions.end();
    });
    return idle;
  }

  bool each_step_together_;
  MembershipScript script_;
  std::vector<int> members_;  // so far
  std::int64_t generation_ = 0;
};

MembershipScript script_of(const Part& part, bool each_step_together) {
  ScriptWriter writer(part.start, each_step_together);
  const auto changes_after = [&](std::int64_t round) {
    const auto [begin, end] = part.between_rounds.equal_range(round);
    for (auto record = begin; record != end; ++record) {
      writer.change_between_rounds(round, *record->second);
    }
  };
  changes_after(part.start.round);
  for (const CommitRecord* commit : part.commits) {
    writer.commit(*commit);
    changes_after(commit->round);
  }
  return writer.script();
}

}  // namespace

std::vector<MembershipScript> membership_scripts(const std::vector<HistoryRecord>& history, bool each_step_together) {
  std::vector<MembershipScript> scripts;
  for (const Part& part : split(history)) {
    scripts.push_back(script_of(part, each_step_together));
  }
  if (scripts.empty()) {
    throw InputError("the history is empty");
  }
  return scripts;
}

}  // namespace resist
