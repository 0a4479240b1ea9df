#include "resist/data/loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

constexpr std::size_t kPrefetched = 4;  // batches ahead of the network, made or being made

void check_schedule(const BatchSchedule& schedule, const Unserved& unserved, int threads) {
  const bool of_them = schedule.mode == DataMode::replicated || schedule.worker < schedule.workers;
  if (schedule.batch_size < 1 || schedule.workers < 1 || schedule.worker < 0 || !of_them || unserved.next < 0 ||
      threads < 1) {
    throw Error(fmt::format("no such batches: worker {} of {}, batch size {}, stream position {}, {} threads",
                            schedule.worker, schedule.workers, schedule.batch_size, unserved.next, threads));
  }
}

// A batch whose samples are being made.
struct UnfinishedBatch {
  Batch batch;
  std::int64_t made = 0;
};

struct SoundSample {
  std::int64_t index;
  std::span<const std::uint8_t> pixels;  // Dataset::read's
};

}  // namespace

// Samples have numbers, from 0 with the first batch's first on. Threads take them in this order, so that at a failure
// all samples before it are made or being made.
struct TrainLoader::Impl {
  Impl(std::shared_ptr<const Dataset> train_set, const DatasetInfo& dataset_info,
       const Augmentation& train_augmentation, const BatchSchedule& batch_schedule, std::uint64_t run_seed,
       Unserved first_unserved)
      : dataset(std::move(train_set)),
        info(dataset_info),
        transform(info),
        augmentation(train_augmentation),
        schedule(batch_schedule),
        seed(run_seed),
        unserved(std::move(first_unserved)),
        stream(dataset->size(), run_seed, batch_schedule.stream()),
        spare(kPrefetched) {}
  ~Impl();

  void run();
  bool can_take() const { return unfinished_of(taken) < unfinished.size() || !spare.empty(); }
  bool is_ready() const { return !unfinished.empty() && unfinished.front().made == schedule.batch_size; }
  // Place in `unfinished` of the sample's batch.
  std::size_t unfinished_of(std::int64_t sample) const {
    return static_cast<std::size_t>(sample / schedule.batch_size - handed_out);
  }
  UnfinishedBatch& batch_of(std::int64_t sample);
  SamplePlace place_of(std::int64_t sample);
  void make(const SamplePlace& place, std::size_t row, std::vector<std::uint8_t>& buffer, Batch& batch) const;
  SoundSample read_sound(std::int64_t index, const Framing& framing, std::span<std::uint8_t> buffer) const;

  const std::shared_ptr<const Dataset> dataset;
  const DatasetInfo info;
  const PixelTransform transform;
  const Augmentation augmentation;
  const BatchSchedule schedule;
  const std::uint64_t seed;
  const Unserved unserved;

  std::mutex mutex;  // for what follows, except `current`
  std::condition_variable changed;
  SampleStream stream;
  std::int64_t taken = 0;       // samples
  std::int64_t handed_out = 0;  // batches
  std::deque<UnfinishedBatch> unfinished;
  std::vector<Batch> spare;
  int working = 0;  // threads
  std::int64_t failed_sample = 0;
  std::exception_ptr failure;
  bool stop = false;

  Batch current;
  std::vector<std::thread> threads;
};

TrainLoader::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

UnfinishedBatch& TrainLoader::Impl::batch_of(std::int64_t sample) {
  if (unfinished_of(sample) == unfinished.size()) {
    const auto samples = static_cast<std::size_t>(schedule.batch_size);
    unfinished.push_back({.batch = std::move(spare.back())});
    spare.pop_back();
    unfinished.back().batch.pixels.resize(samples * transform.size());
    unfinished.back().batch.labels.resize(samples);
    unfinished.back().batch.stream_position = schedule.first(unserved, sample / schedule.batch_size);
  }
  return unfinished[unfinished_of(sample)];
}

SamplePlace TrainLoader::Impl::place_of(std::int64_t sample) {
  return stream.at(schedule.first(unserved, sample / schedule.batch_size) + sample % schedule.batch_size);
}

SoundSample TrainLoader::Impl::read_sound(std::int64_t index, const Framing& framing,
                                          std::span<std::uint8_t> buffer) const {
  for (std::int64_t tried = 0; tried < dataset->size(); ++tried) {
    const std::int64_t next = (index + tried) % dataset->size();
    if (const auto pixels = dataset->read(next, framing, buffer); !pixels.empty()) {
      return {.index = next, .pixels = pixels};
    }
  }
  throw InputError(fmt::format("all {} training pictures of {} are left out as damaged", dataset->size(), info.name));
}

void TrainLoader::Impl::make(const SamplePlace& place, std::size_t row, std::vector<std::uint8_t>& buffer,
                             Batch& batch) const {
  const RandomStream random(seed, RandomPurpose::augmentation,
                            {.stream = place.stream, .epoch = place.epoch, .position = place.position});
  const std::size_t values = transform.size();
  buffer.resize(values);
  const SoundSample sample = read_sound(place.index, training_framing(augmentation, info, random), buffer);
  transform.augment(sample.pixels, augmentation, random, std::span(batch.pixels).subspan(row * values, values));
  batch.labels[row] = dataset->label(sample.index);
}

void TrainLoader::Impl::run() {
  std::vector<std::uint8_t> buffer;
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return stop || failure != nullptr || can_take(); });
    if (stop || failure != nullptr) {
      return;
    }
    const std::int64_t sample = taken++;
    ++working;
    std::exception_ptr thrown;
    try {
      UnfinishedBatch& target = batch_of(sample);  // stays where it is until all its samples are made
      const SamplePlace place = place_of(sample);
      lock.unlock();
      make(place, static_cast<std::size_t>(sample % schedule.batch_size), buffer, target.batch);
      lock.lock();
      ++target.made;
    } catch (...) {
      thrown = std::current_exception();
    }
    if (!lock.owns_lock()) {
      lock.lock();
    }
    --working;
    if (thrown != nullptr && (failure == nullptr || sample < failed_sample)) {
      failed_sample = sample;
      failure = thrown;
    }
    if (is_ready() || failure != nullptr) {
      changed.notify_all();
    }
  }
}

TrainLoader::TrainLoader(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info,
                         const Augmentation& augmentation, const BatchSchedule& schedule, std::uint64_t seed,
                         const Unserved& unserved, int threads) {
  check_schedule(schedule, unserved, threads);
  impl_ = std::make_unique<Impl>(std::move(dataset), info, augmentation, schedule, seed, unserved);
  for (int i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->run(); });
  }
}

TrainLoader::~TrainLoader() = default;

const Batch& TrainLoader::next() {
  std::unique_lock lock(impl_->mutex);
  const auto has_failed = [&] { return impl_->failure != nullptr && impl_->working == 0; };
  impl_->changed.wait(lock, [&] { return impl_->is_ready() || has_failed(); });
  // Batches from before the failure come first, so where it shows does not depend on timing.
  if (!impl_->is_ready()) {
    std::rethrow_exception(impl_->failure);
  }
  impl_->spare.push_back(std::exchange(impl_->current, std::move(impl_->unfinished.front().batch)));
  impl_->unfinished.pop_front();
  ++impl_->handed_out;
  impl_->changed.notify_all();
  return impl_->current;
}

}  // namespace resist
