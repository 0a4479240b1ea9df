#pragma once

#include <map>
#include <string>

namespace resist {

// For every option a valid text that differs from its default. They do not all go together.
inline const std::map<std::string, std::string>& changed_options() {
  static const std::map<std::string, std::string> changed = {
      {"model", "postact-resnet101"},
      {"depths", "1,2,3,4"},
      {"width", "8"},
      {"classes", "100"},
      {"channels", "1"},
      {"image-size", "28"},
      {"stem", "conv7"},
      {"final-norm", "true"},
      {"zero-init", "true"},
      {"data", "synthetic:64,3,8,8,4"},
      {"data-dir", "some where/with 'quotes\" and \\"},
      {"data-mode", "sharded"},
      {"holdout", "5000"},
      {"crop-padding", "4"},
      {"crop-area", "0.35"},
      {"flip", "false"},
      {"skip-corrupt", "12"},
      {"method", "data-parallel"},
      {"epochs", "0.125"},
      {"rounds", "1000000000000"},
      {"local-iterations", "7"},
      {"batch-size", "32"},
      {"lr", "1.0000000000000002e-05"},
      {"schedule", "cosine"},
      {"lr-warmup-epochs", "0.1"},
      {"momentum", "0"},
      {"nesterov", "true"},
      {"weight-decay", "0.3"},
      {"decay-norms", "false"},
      {"label-smoothing", "0.1"},
      {"momentum-sync", "average"},
      {"warmup-epochs", "1"},
      {"seed", "9223372036854775807"},
      {"compress", "int6"},
      {"overlap", "true"},
      {"protect", "none"},
      {"partition", "exact"},
      {"min-blocks", "3"},
      {"partition-sections", "2,3"},
      {"partition-first-blocks", "true"},
      {"eval", "v2=some where/v2"},
      {"eval-every", "10"},
      {"eval-batch-size", "100"},
      {"calibrate-samples", "512"},
      {"run-dir", "runs/übung"},
      {"resume", "runs/before"},
      {"checkpoint-every", "5"},
      {"keep-checkpoints", "9"},
      {"record-round", "3"},
      {"tensorboard", "false"},
      {"workers", "4"},
      {"restarts", "7"},
      {"in-process", "true"},
      {"device", "cpu"},
      {"threads", "2"},
      {"loader-threads", "3"},
      {"interface", "eth0"},
      {"port", "29500"},
      {"precision", "bf16"},
      {"token-file", "job.token"},
      {"rendezvous-timeout", "10"},
      {"timeout", "20"},
  };
  return changed;
}

}  // namespace resist
