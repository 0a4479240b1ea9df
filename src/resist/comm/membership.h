#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/core/error.h"

namespace resist {

// A period in which the set of workers does not change.
struct Generation {
  std::int64_t number = 0;   // 0: the one that the job began with
  std::vector<int> members;  // identities, ascending; a member's place is its rank
  std::shared_ptr<Communicator> communicator;
  bool enough = true;  // as many as the job asks for at least; otherwise it ends at its next checkpoint
};

// The others have gone on without this worker, since it gave no sign of life.
class LeftOut : public Error {
 public:
  using Error::Error;
};

// What a worker belongs to beyond one communicator: the workers of a job as they come and go. One object a worker,
// called from one thread. Every worker has an identity that lasts; in generation 0 it is its rank.
class Membership {
 public:
  virtual ~Membership() = default;

  virtual int identity() const = 0;

  // This worker notices that its generation is to end (`cause`), and says so before the others notice that it does.
  virtual void call_next(const std::string& /*cause*/) {}

  // The generation after the one that this worker is in, which has lost somebody (`cause`: how this worker noticed), or
  // lets somebody in.
  // Blocks until all that are left have called it, however long their local iterations still take, and are connected.
  // LeftOut where they have not waited for this one; Error where the job can't go on.
  virtual Generation next_generation(const std::string& cause) = 0;

  // Whether somebody waits to join; the workers let it in at the end of the round, by the next generation.
  virtual bool somebody_waits() const { return false; }

  // Called before each local iteration: so many rounds are committed, and so many iterations of the one under way are
  // done. A membership that makes workers come and go at set places throws here: CommError to change over to the next
  // generation, LeftOut to end this worker.
  virtual void passes(std::int64_t /*rounds*/, std::int64_t /*iterations*/) {}

  // Whether nobody can say any more who is there; the job ends when all say so.
  virtual bool rendezvous_lost() const { return false; }

  // A round took so long from its start to its commit; how long a worker may be silent follows from it.
  virtual void round_took(double /*seconds*/) {}
};

}  // namespace resist
