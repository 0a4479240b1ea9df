#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace resist {

// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): 128 random bits as a pure
// function of a 64-bit key and a 128-bit counter.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::array<std::uint32_t, 4> counter);

// What a random choice is for. Choices with different purposes never share random bits. Values are part of the
// reproducibility promise: never renumber.
enum class RandomPurpose : std::uint32_t {
  initialisation = 1,
  dealing = 2,
  data_order = 3,
  augmentation = 4,
  evaluation_order = 5,
  synthetic_data = 6,
  holdout = 7,
  rounding = 8,
  stochastic_depth = 9,
};

// Where a choice is made: which worker's stream (or section), epoch (or parameter) and position in it.
struct RandomPlace {
  std::uint32_t stream = 0;  // less than 2^24
  std::uint32_t epoch = 0;
  std::uint32_t position = 0;
};

// The random numbers of one place, in order. Cheap to make; no state is shared, so results depend neither on threads
// nor on what was drawn elsewhere.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, RandomPlace place);

  std::uint32_t next();
  // Uniform in [0, 1), 24 bits.
  float uniform();
  // Uniform in [0, bound), without bias; bound > 0.
  std::uint32_t below(std::uint32_t bound);

 private:
  std::uint64_t key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

// A uniformly random permutation of 0..size-1 (Fisher-Yates).
std::vector<std::uint32_t> random_permutation(std::uint32_t size, RandomStream random);

}  // namespace resist
