#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "resist/simulate/outages.h"
#include "resist/simulate/round_costs.h"
#include "resist/simulate/tally.h"

namespace resist {

// What is simulated.
struct SimulationSetup {
  const Config& config;
  const NetworkSpec& spec;
  const Layout& layout;
  const SimulationOptions& options;
  const Cluster& cluster;
};

// One ResIST job, round by round: its workers train, wait for the last one, exchange and commit.
//
// - A worker that dies before its round is committed is missed in it: the others keep their local iterations, the dead
//   one's are lost. An exchange that a death stops begins anew.
// - A death closes connections and is noticed within milliseconds. Who is cut off is noticed at the deadline only: the
//   others wait that long once they are ready for it, or once the exchange has stopped; and as long again if somebody
//   is cut off in the meantime.
// - Then the survivors form a new generation and blocks are dealt to them. A block whose holders have all died comes
//   from where its protection says.
// - Who has returned enters at a round's end, as one more receiver of its exchange: the shared parameters and the
//   blocks that it is dealt are its state. So the others wait for its link, and its death stops them.
// - When nobody is left, the job begins anew with who returns first, at its last checkpoint; one of several groups at
//   another group's state, which it had itself at their last meeting.
class Job {
 public:
  // The workers first .. first + workers - 1 of the cluster. What `setup` refers to must outlive it.
  Job(const SimulationSetup& setup, int first, int workers);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // Does one more round. False: the job is stalled. Nobody is left who will return, or deaths stopped hundreds
  // of attempts at one round.
  bool run_round();

  // After a meeting of all groups: they go on at `clock`. Bytes of the meeting: what this job sent, and the most that
  // one of its workers sent or received.
  void meet(double clock, double bytes, double busiest_link_bytes);

  double clock() const { return clock_; }
  std::int64_t rounds() const { return round_; }  // committed
  bool stalled() const { return stalled_; }
  const std::vector<int>& members() const { return members_; }   // of the next round, ascending
  const Assignment& assignment() const { return *assignment_; }  // theirs, by their places in that list
  const RoundCosts& costs() const { return costs_; }
  const Tally& tally() const { return tally_; }

 private:
  // An exchange: who takes part, by rank, and what it brings about.
  struct Exchange {
    std::vector<int> participants;
    std::optional<Assignment> next;
    Handover handover;
    std::vector<int> keepers;  // see keepers_
    SyncCost cost;
  };

  bool lives(int worker) const { return living_[static_cast<std::size_t>(worker - first_)] != 0; }
  void enter(std::vector<int> members, Assignment assignment);
  std::vector<double> local_seconds(const std::vector<int>& members, const Assignment& assignment,
                                    std::int64_t round) const;
  bool train();
  double slowest_living() const;
  bool synchronise();
  Exchange plan_exchange();
  void hand_over_block(int block, const std::vector<int>& rank_of, Exchange& exchange) const;
  void add_keepers(Exchange& exchange) const;
  int source_of(int block) const;
  void commit(Exchange exchange, double seconds, double bytes);
  void count_blocks();
  void secure();
  bool note(const Outage& outage);
  void note_until(double seconds);
  double wait_until(double seconds);
  bool begin_anew();

  SimulationSetup setup_;
  int first_;
  BlockDealing dealing_;
  RoundCosts costs_;
  Outages outages_;
  double deadline_;  // seconds
  int most_attempts_;

  double clock_ = 0;
  std::int64_t round_ = 0;  // that is under way
  // Committed since the state where the job would begin anew.
  std::int64_t rounds_at_risk_ = 0;
  double samples_at_risk_ = 0;
  std::vector<std::int64_t> block_rounds_at_risk_;  // per block: that trained it
  std::vector<int> members_;                        // of the round under way, ascending, dead ones too
  std::vector<char> living_;                        // by worker - first_: is a member and lives
  int living_count_ = 0;
  std::vector<int> joining_;  // have returned and wait for the round's end, ascending
  std::optional<Assignment> assignment_;
  std::vector<int> keepers_;           // per block: who has a copy as it was before the round under way; -1: nobody
  std::vector<double> local_seconds_;  // by rank
  double round_began_ = 0;
  double compute_seconds_ = 0;  // of the round under way, once it has trained
  bool somebody_cut_off_ = false;
  bool regroup_ = false;  // somebody died since the last commit
  bool stalled_ = false;
  Tally tally_;
};

}  // namespace resist
