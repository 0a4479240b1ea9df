#include "resist/data/holdout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

class Subset : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, std::vector<std::uint32_t> indices)
      : whole_(std::move(whole)), indices_(std::move(indices)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  std::int64_t label(std::int64_t index) const override { return whole_->label(in_whole(index)); }
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                     std::span<std::uint8_t> buffer) const override {
    return whole_->read(in_whole(index), framing, buffer);
  }

 private:
  std::int64_t in_whole(std::int64_t index) const { return indices_.at(static_cast<std::size_t>(index)); }

  std::shared_ptr<const Dataset> whole_;
  std::vector<std::uint32_t> indices_;
};

}  // namespace

void check_holdout(std::int64_t count, std::int64_t samples) {
  if (count < 1 || count >= samples) {
    throw InputError(fmt::format("--holdout is {}, but the training set has {} samples: 1 to {} can be held out", count,
                                 samples, samples - 1));
  }
}

HoldoutSplit hold_out(const std::shared_ptr<const Dataset>& dataset, std::int64_t count, std::uint64_t seed) {
  check_holdout(count, dataset->size());
  auto chosen =
      random_permutation(static_cast<std::uint32_t>(dataset->size()), RandomStream(seed, RandomPurpose::holdout, {}));
  std::vector<std::uint32_t> rest(chosen.begin() + count, chosen.end());
  chosen.resize(static_cast<std::size_t>(count));
  std::sort(chosen.begin(), chosen.end());
  std::sort(rest.begin(), rest.end());
  return {.rest = std::make_shared<Subset>(dataset, std::move(rest)),
          .held_out = std::make_shared<Subset>(dataset, std::move(chosen))};
}

}  // namespace resist
