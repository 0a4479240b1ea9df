#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "resist/comm/in_process.h"

namespace resist {

// Runs `body` once per communicator, each on a thread of its own, and returns each one's error ("" where there was
// none). A communicator is destroyed as soon as its body ends. No body outlives its communicator's deadline by much, so
// a deadlock ends as an error.
inline std::vector<std::string> run_workers(std::vector<std::unique_ptr<Communicator>> communicators,
                                            const std::function<void(Communicator&)>& body) {
  std::vector<std::string> errors(communicators.size());
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < communicators.size(); ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(*communicators[rank]);
        communicators[rank]->barrier();
      } catch (const std::exception& error) {
        errors[rank] = error.what();
        if (errors[rank].empty()) {
          errors[rank] = "an error without words";
        }
      }
      communicators[rank].reset();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return errors;
}

// The same in one process, and every body must succeed.
inline void run_in_process(int workers, const std::function<void(Communicator&)>& body) {
  const auto errors = run_workers(make_in_process_group(workers, std::chrono::seconds(30)), body);
  for (std::size_t rank = 0; rank < errors.size(); ++rank) {
    EXPECT_EQ(errors[rank], "") << "on worker " << rank;
  }
}

}  // namespace resist
