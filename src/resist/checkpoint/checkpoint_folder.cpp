#include "resist/checkpoint/checkpoint_folder.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <optional>
#include <string>

#include "resist/core/error.h"
#include "resist/core/file.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnfinished = ".tmp";
constexpr const char* kReplaced = ".old";

std::string round_name(std::int64_t round) {
  return fmt::format("round-{:06}", round);
}

fs::path hidden_folder(const fs::path& run_dir, std::int64_t round, const char* suffix) {
  return checkpoints_folder(run_dir) / fmt::format(".{}{}", round_name(round), suffix);
}

// The round that exactly this name stands for.
std::optional<std::int64_t> parse_round_name(const std::string& name) {
  const std::string prefix = "round-";
  std::int64_t round = -1;
  const char* end = name.data() + name.size();
  if (name.starts_with(prefix)) {
    std::from_chars(name.data() + prefix.size(), end, round);
  }
  return round >= 0 && round_name(round) == name ? std::optional(round) : std::nullopt;
}

std::optional<std::int64_t> parse_hidden_name(const std::string& name, const std::string& suffix) {
  if (!name.starts_with('.') || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  return parse_round_name(name.substr(1, name.size() - 1 - suffix.size()));
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code problem;
  fs::rename(from, to, problem);
  if (problem) {
    throw Error(fmt::format("can't rename '{}' to '{}': {}", from.string(), to.string(), problem.message()));
  }
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void remove_or_warn(const fs::path& folder) {
  std::error_code problem;
  fs::remove_all(folder, problem);
  if (problem) {
    spdlog::warn("can't remove '{}': {}; remove it by hand", folder.string(), problem.message());
  }
}

// Calls visit(name) for everything in RUN/checkpoints; nothing if the folder is not there.
template <typename Visit>
void for_each_name(const fs::path& run_dir, Visit visit) {
  const fs::path folder = checkpoints_folder(run_dir);
  std::error_code problem;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    visit(entry->path().filename().string());
  }
  if (problem && problem != std::errc::no_such_file_or_directory) {
    throw InputError(fmt::format("can't read the folder '{}': {}", folder.string(), problem.message()));
  }
}

}  // namespace

fs::path checkpoints_folder(const fs::path& run_dir) {
  return run_dir / "checkpoints";
}

fs::path round_folder(const fs::path& run_dir, std::int64_t round) {
  return checkpoints_folder(run_dir) / round_name(round);
}

fs::path unfinished_folder(const fs::path& run_dir, std::int64_t round) {
  return hidden_folder(run_dir, round, kUnfinished);
}

fs::path replaced_folder(const fs::path& run_dir, std::int64_t round) {
  return hidden_folder(run_dir, round, kReplaced);
}

std::map<std::int64_t, fs::path> list_round_folders(const fs::path& run_dir) {
  std::map<std::int64_t, fs::path> folders;
  for_each_name(run_dir, [&](const std::string& name) {
    if (const auto round = parse_round_name(name)) {
      folders[*round] = round_folder(run_dir, *round);
    } else if (const auto replaced = parse_hidden_name(name, kReplaced)) {
      folders.try_emplace(*replaced, replaced_folder(run_dir, *replaced));
    }
  });
  return folders;
}

void install_round_folder(const fs::path& run_dir, std::int64_t round) {
  const fs::path final_folder = round_folder(run_dir, round);
  const fs::path replaced = replaced_folder(run_dir, round);
  const bool replaces = is_there(final_folder);
  if (replaces) {
    rename_or_throw(final_folder, replaced);
    sync_folder(checkpoints_folder(run_dir));
  }
  try {
    rename_or_throw(unfinished_folder(run_dir, round), final_folder);
  } catch (const Error&) {
    if (replaces) {
      rename_or_throw(replaced, final_folder);
    }
    throw;
  }
  sync_folder(checkpoints_folder(run_dir));
  if (replaces) {
    remove_or_warn(replaced);
  }
}

void remove_round_folder(const fs::path& run_dir, std::int64_t round) {
  // Renamed first: a process killed while it removes files must not leave half a checkpoint under a good name.
  const fs::path doomed = unfinished_folder(run_dir, round);
  std::error_code problem;
  fs::rename(round_folder(run_dir, round), doomed, problem);
  if (problem) {
    spdlog::warn("can't remove '{}': {}", round_folder(run_dir, round).string(), problem.message());
    return;
  }
  remove_or_warn(doomed);
}

void mend_checkpoints_folder(const fs::path& run_dir) {
  std::map<std::int64_t, fs::path> replaced;
  std::map<std::int64_t, fs::path> unfinished;
  for_each_name(run_dir, [&](const std::string& name) {
    if (const auto round = parse_hidden_name(name, kUnfinished)) {
      unfinished[*round] = unfinished_folder(run_dir, *round);
    } else if (const auto old_round = parse_hidden_name(name, kReplaced)) {
      replaced[*old_round] = replaced_folder(run_dir, *old_round);
    }
  });
  for (const auto& [round, folder] : replaced) {
    if (is_there(round_folder(run_dir, round))) {
      remove_or_warn(folder);
    } else {
      rename_or_throw(folder, round_folder(run_dir, round));
    }
  }
  for (const auto& [round, folder] : unfinished) {
    remove_or_warn(folder);
  }
}

}  // namespace resist
