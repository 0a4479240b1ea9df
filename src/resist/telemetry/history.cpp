#include "resist/telemetry/history.h"

#include <fmt/format.h>

#include <string>

#include "resist/core/error.h"

namespace resist {
namespace {

using nlohmann::json;

constexpr const char* kEvent = "event";
constexpr const char* kStart = "start";
constexpr const char* kGeneration = "generation";
constexpr const char* kCommit = "commit";

json encode(const StartRecord& record) {
  return {{kEvent, kStart}, {"round", record.round}, {"workers", record.workers}, {"options", record.options}};
}

json encode(const GenerationRecord& record) {
  json lost_blocks = json::array();
  for (const GenerationRecord::LostBlock& lost : record.lost_blocks) {
    lost_blocks.push_back({{"block", lost.block}, {"rounds", lost.rounds}});
  }
  return {{kEvent, kGeneration},
          {"generation", record.generation},
          {"round", record.round},
          {"members", record.members},
          {"lost", record.lost},
          {"joined", record.joined},
          {"round_kept", record.round_kept},
          {"restored_blocks", record.restored},
          {"lost_blocks", lost_blocks},
          {"next_blocks", record.next_blocks},
          {"seconds", record.seconds}};
}

json encode(const CommitRecord& record) {
  json workers = json::array();
  for (const Contribution& one : record.contributions) {
    json batches = json::array();
    for (const BatchRun& run : one.batches) {
      batches.push_back({run.first, run.stride, run.count});
    }
    workers.push_back(
        {{"worker", one.worker}, {"iterations", one.iterations}, {"batches", batches}, {"blocks", one.blocks}});
  }
  return {{kEvent, kCommit},           {"round", record.round}, {"generation", record.generation},
          {"members", record.members}, {"workers", workers},    {"next_blocks", record.next_blocks},
          {"shared", record.shared}};
}

StartRecord decode_start(const json& line) {
  return {.round = line.at("round"), .workers = line.at("workers"), .options = line.at("options")};
}

GenerationRecord decode_generation(const json& line) {
  GenerationRecord record{.generation = line.at("generation"),
                          .round = line.at("round"),
                          .members = line.at("members"),
                          .lost = line.at("lost"),
                          .joined = line.at("joined"),
                          .round_kept = line.at("round_kept"),
                          .restored = line.at("restored_blocks"),
                          .next_blocks = line.at("next_blocks"),
                          .seconds = line.at("seconds")};
  for (const json& lost : line.at("lost_blocks")) {
    record.lost_blocks.push_back({.block = lost.at("block"), .rounds = lost.at("rounds")});
  }
  return record;
}

CommitRecord decode_commit(const json& line) {
  CommitRecord record{.round = line.at("round"),
                      .generation = line.at("generation"),
                      .members = line.at("members"),
                      .next_blocks = line.at("next_blocks"),
                      .shared = line.at("shared")};
  for (const json& worker : line.at("workers")) {
    Contribution one{
        .worker = worker.at("worker"), .iterations = worker.at("iterations"), .blocks = worker.at("blocks")};
    for (const json& run : worker.at("batches")) {
      one.batches.push_back({.first = run.at(0), .stride = run.at(1), .count = run.at(2)});
    }
    record.contributions.push_back(std::move(one));
  }
  return record;
}

}  // namespace

json to_json(const HistoryRecord& record) {
  return std::visit([](const auto& one) { return encode(one); }, record);
}

HistoryRecord history_record_from_json(const json& line) {
  try {
    const std::string event = line.at(kEvent);
    if (event == kStart) {
      return decode_start(line);
    }
    if (event == kGeneration) {
      return decode_generation(line);
    }
    if (event == kCommit) {
      return decode_commit(line);
    }
    throw InputError(
        fmt::format("\"{}\" is \"{}\"; known are {}, {} and {}", kEvent, event, kStart, kGeneration, kCommit));
  } catch (const json::exception& error) {
    throw InputError(fmt::format("a field is missing or of the wrong kind ({})", error.what()));
  }
}

std::vector<BatchRun> to_runs(const std::vector<std::int64_t>& positions) {
  std::vector<BatchRun> runs;
  for (const std::int64_t position : positions) {
    if (!runs.empty() && runs.back().count == 1) {
      runs.back().stride = position - runs.back().first;
    }
    if (!runs.empty() && position == runs.back().first + runs.back().stride * runs.back().count) {
      ++runs.back().count;
    } else {
      runs.push_back({.first = position, .stride = 0, .count = 1});
    }
  }
  return runs;
}

}  // namespace resist
