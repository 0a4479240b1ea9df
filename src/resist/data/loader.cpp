#include "resist/data/loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/random.h"

namespace resist {
namespace {

constexpr std::size_t kPrefetched = 4;  // batches ready ahead of the network

void check_schedule(const BatchSchedule& schedule, std::int64_t stream_position) {
  if (schedule.batch_size < 1 || schedule.workers < 1 || schedule.worker < 0 || schedule.worker >= schedule.workers ||
      stream_position < 0) {
    throw Error(fmt::format("no such batches: worker {} of {}, batch size {}, stream position {}", schedule.worker,
                            schedule.workers, schedule.batch_size, stream_position));
  }
}

}  // namespace

struct TrainLoader::Impl {
  Impl(std::shared_ptr<const Dataset> train_set, const DatasetInfo& info, const Augmentation& train_augmentation,
       const BatchSchedule& batch_schedule, std::uint64_t run_seed, std::int64_t start)
      : dataset(std::move(train_set)),
        transform(info),
        augmentation(train_augmentation),
        schedule(batch_schedule),
        seed(run_seed),
        stream_position(start),
        stream(dataset->size(), run_seed, batch_schedule.stream()),
        spare(kPrefetched) {}

  void run();
  // False if told to stop meanwhile.
  bool fill(Batch& batch);
  bool stopped();

  // Only the background thread uses these once it runs.
  std::shared_ptr<const Dataset> dataset;
  PixelTransform transform;
  Augmentation augmentation;
  BatchSchedule schedule;
  std::uint64_t seed;
  std::int64_t stream_position;
  SampleStream stream;
  std::vector<std::uint8_t> pixels;

  Batch current;  // the consumer's

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::vector<Batch> spare;  // empty batches whose memory is used again; ready and spare bound what is prefetched
  std::exception_ptr failure;
  bool stop = false;

  std::thread thread;
};

bool TrainLoader::Impl::stopped() {
  const std::lock_guard lock(mutex);
  return stop;
}

bool TrainLoader::Impl::fill(Batch& batch) {
  const auto count = static_cast<std::size_t>(schedule.batch_size);
  const std::size_t values = transform.size();
  pixels.resize(values);
  batch.pixels.resize(count * values);
  batch.labels.resize(count);
  for (std::size_t sample = 0; sample < count; ++sample) {
    if (stopped()) {
      return false;
    }
    const SamplePlace place = stream.at(schedule.first(stream_position) + static_cast<std::int64_t>(sample));
    dataset->read(place.index, pixels);
    const RandomStream random(seed, RandomPurpose::augmentation,
                              {.stream = place.stream, .epoch = place.epoch, .position = place.position});
    transform.augment(pixels, augmentation, random, std::span(batch.pixels).subspan(sample * values, values));
    batch.labels[sample] = dataset->label(place.index);
  }
  stream_position += schedule.stride();
  return true;
}

void TrainLoader::Impl::run() {
  try {
    while (true) {
      Batch batch;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stop || !spare.empty(); });
        if (stop) {
          return;
        }
        batch = std::move(spare.back());
        spare.pop_back();
      }
      if (!fill(batch)) {
        return;
      }
      const std::lock_guard lock(mutex);
      ready.push_back(std::move(batch));
      changed.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex);
    failure = std::current_exception();
    changed.notify_all();
  }
}

TrainLoader::TrainLoader(std::shared_ptr<const Dataset> dataset, const DatasetInfo& info,
                         const Augmentation& augmentation, const BatchSchedule& schedule, std::uint64_t seed,
                         std::int64_t stream_position) {
  check_schedule(schedule, stream_position);
  impl_ = std::make_unique<Impl>(std::move(dataset), info, augmentation, schedule, seed, stream_position);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

TrainLoader::~TrainLoader() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
    impl_->changed.notify_all();
  }
  impl_->thread.join();
}

const Batch& TrainLoader::next() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [&] { return !impl_->ready.empty() || impl_->failure != nullptr; });
  // Batches from before the failure come first, so where it shows does not depend on timing.
  if (impl_->ready.empty()) {
    std::rethrow_exception(impl_->failure);
  }
  impl_->spare.push_back(std::exchange(impl_->current, std::move(impl_->ready.front())));
  impl_->ready.pop_front();
  impl_->changed.notify_all();
  return impl_->current;
}

}  // namespace resist
