#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "resist/cluster/environment.h"

namespace resist {

// A port at which others find out whether they reach this worker, and whether it is still there. Being connected is all
// there is to it: nothing is said, and the system does it without the worker's help. One thread at a time.
class Door {
 public:
  // Listens on `address`, at a free port. Error where that can't be.
  explicit Door(const std::string& address);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  const Endpoint& place() const { return place_; }
  // Lets those go that have come; to be called now and then.
  void let_go();

 private:
  Endpoint place_;
  int descriptor_ = -1;
};

enum class Answer {
  open,
  refused,  // the machine says that nobody listens there: the worker has ended
  none,     // out of reach, or slow
};

// What answers at each of the doors, all of them tried at once, for as long as `patience`.
std::vector<Answer> knock(const std::vector<Endpoint>& doors, std::chrono::milliseconds patience);

}  // namespace resist
