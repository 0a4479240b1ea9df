#include <algorithm>
#include <iterator>
#include <utility>

#include "resist/comm/collectives.h"
#include "resist/comm/tags.h"
#include "resist/model/initialise.h"
#include "resist/sync/mending.h"
#include "resist/sync/sync_plan.h"
#include "resist/train/standing.h"
#include "resist/train/trainer.h"

// The trainer's part that goes on when workers are lost or join (docs/reliability.md).

namespace resist {

void Trainer::recover(const CommError& error) {
  step_->give();
  if (local_->iterations > 0) {
    check_finite();
  }
  if (!mending_ || told_) {
    noticed_ = Stopwatch();
  }
  call_next_generation(error);
  enter(membership_->next_generation(error.what()));
}

void Trainer::call_next_generation(const CommError& error) {
  if (membership_ != nullptr) {
    membership_->call_next(error.what());
    communicator_->abort();  // so that nobody waits for this worker in the old generation
  }
}

void Trainer::enter(Generation generation) {
  // Another loss before the last one was mended is mended with it.
  const bool goes_on = mending_ && !told_;
  std::vector<int> lost = goes_on ? mending_->lost : std::vector<int>{};
  std::vector<int> joined = goes_on ? mending_->joined : std::vector<int>{};
  told_ = false;
  std::ranges::set_difference(generation_.members, generation.members, std::back_inserter(lost));
  std::ranges::set_difference(generation.members, generation_.members, std::back_inserter(joined));
  mending_ = std::make_unique<GenerationRecord>(GenerationRecord{.generation = generation.number,
                                                                 .members = generation.members,
                                                                 .lost = std::move(lost),
                                                                 .joined = std::move(joined)});
  sync_->enter(*generation.communicator);
  communicator_ = generation.communicator.get();
  generation_ = std::move(generation);
  method_ = make_method(setup_.config, setup_.decks, communicator_->size());
}

// What workers that join have to know; parameters come with the next commit.
void Trainer::adopt(const std::vector<Standing>& standings) {
  const auto joins = [](const Standing& standing) { return standing.commits < 0; };
  if (std::ranges::none_of(standings, joins)) {
    return;
  }
  const auto positions = all_gather_lists(*communicator_, to_numbers(position_), kControlTag);
  if (joins_) {
    const auto other = std::ranges::find_if_not(standings, joins);
    position_ = position_from_numbers(positions[static_cast<std::size_t>(other - standings.begin())]);
    commits_ = other->commits;
    reported_ = other->reported;
    std::copy_n(other->block_scale.begin(), block_scale_.size(), block_scale_.begin());
    std::copy_n(other->scale_under_way.begin(), scale_under_way_.size(), scale_under_way_.begin());
  }
}

// Workers that were there work it out, the others hear it from the first of them.
Mending Trainer::agree_on_sources(const std::vector<Standing>& standings) {
  std::vector<Survivor> survivors;
  survivors.reserve(standings.size());
  for (const Standing& standing : standings) {
    survivors.push_back({.iterations = standing.local.iterations, .placed_as = standing.placed_as});
  }
  const int workers = communicator_->size();
  const int blocks = static_cast<int>(setup_.layout.blocks.size());
  std::vector<std::byte> own(encoded_mending_size(workers, blocks));
  if (survivors[communicator_->rank()].placed_as >= 0) {
    const Agreement agreement = method_->averages_gradients()             ? Agreement::at_each_iteration
                                : shared_always_agree(setup_.config.sync) ? Agreement::at_commits
                                                                          : Agreement::never;
    own = encode(find_sources(parameters_->placement().assignment, sync_->keepers(), survivors, agreement), workers);
  }
  const auto teller = std::ranges::find_if(survivors, [](const Survivor& one) { return one.placed_as >= 0; });
  std::vector<std::byte> all(own.size() * static_cast<std::size_t>(workers));
  all_gather_bytes(*communicator_, own, all, kControlTag);
  const auto place = static_cast<std::size_t>(teller - survivors.begin()) * own.size();
  return decode_mending(std::span(all).subspan(place, own.size()), workers, blocks);
}

Payload Trainer::stage_mended(const TrainPosition& after, const std::vector<Standing>& standings,
                              TrainingObserver& observer) {
  Mending mending = agree_on_sources(standings);
  mending.sources.samples = samples_of(standings, setup_.config.train.batch_size);
  mending_->round = position_.round;
  mending_->round_kept = after.round > position_.round;
  for (int block = 0; block < static_cast<int>(mending.copied.size()); ++block) {
    if (mending.copied[block] && !std::ranges::binary_search(mending.lost, block)) {
      mending_->restored.push_back(block);
    }
  }
  for (const int block : mending.lost) {
    if (communicator_->rank() == 0) {
      const std::span<float> values = sync_->restored(block);
      const auto round = observer.restore_block(*this, block, values);
      if (!round) {
        initialise(setup_.layout.blocks[block].parameters, setup_.config.train.seed, values);
      }
      mending_->lost_blocks.push_back({.block = block, .rounds = position_.round - round.value_or(0)});
    }
  }
  return sync_->stage(begin_staging(after, standings), position_.round, mending);
}

void Trainer::settle(TrainingObserver& observer) {
  load_from_here();
  mending_->seconds = noticed_.seconds();
  mending_->next_blocks = balance_.hands;
  observer.generation_began(*this, *mending_);
  told_ = true;
}

}  // namespace resist
