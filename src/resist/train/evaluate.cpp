#include "resist/train/evaluate.h"

#include <torch/types.h>

#include <algorithm>
#include <cstring>

#include "resist/core/error.h"

namespace resist {
namespace {

// What one batch adds to the result.
struct BatchSums {
  std::int64_t samples = 0;
  double loss = 0;
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;
};

BatchSums score(const at::Tensor& logits, const at::Tensor& labels) {
  const std::int64_t candidates = std::min<std::int64_t>(5, logits.size(1));
  const at::Tensor best = std::get<1>(logits.topk(candidates, 1));
  const at::Tensor hits = best.eq(labels.unsqueeze(1));
  return {.samples = labels.size(0),
          .loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).item<double>(),
          .top1 = hits.select(1, 0).sum().item<std::int64_t>(),
          .top5 = hits.sum().item<std::int64_t>()};
}

}  // namespace

EvaluationResult evaluate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job) {
  FullPass pass(communicator, network, blocks, job);
  std::vector<BatchSums> own(static_cast<std::size_t>(pass.share()));
  pass.run([](std::int64_t /*batch*/) {},
           [&](std::int64_t batch, const at::Tensor& logits, const at::Tensor& labels) {
             own[static_cast<std::size_t>(batch)] = score(logits, labels);
           });
  // Added up in the order of batches, whoever worked them.
  const auto bytes = pass.gather(std::as_bytes(std::span(own)), sizeof(BatchSums));
  BatchSums total;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(BatchSums)) {
    BatchSums sums;
    std::memcpy(&sums, &bytes[at], sizeof sums);
    total.samples += sums.samples;
    total.loss += sums.loss;
    total.top1 += sums.top1;
    total.top5 += sums.top5;
  }
  if (total.samples == 0) {
    throw InputError("not one picture of the test set can be read");
  }
  const auto samples = static_cast<double>(total.samples);
  return {.samples = total.samples,
          .top1 = static_cast<double>(total.top1) / samples,
          .top5 = static_cast<double>(total.top5) / samples,
          .loss = total.loss / samples};
}

}  // namespace resist
