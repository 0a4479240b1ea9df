#pragma once

#include <cstdint>
#include <filesystem>
#include <map>

namespace resist {

// Names and moves of checkpoint folders in RUN/checkpoints, so that a process killed at any moment leaves, for every
// round, either what was there before or what is new:
//   round-000120        a complete checkpoint
//   .round-000120.tmp   being written, or being removed; worth nothing
//   .round-000120.old   the checkpoint that round-000120 is about to replace; it counts while round-000120 is missing
// Two renames (round -> old, tmp -> round) rather than an exchange of two names, since not every filesystem can
// exchange, and one way that is always taken is a way that is tested.

std::filesystem::path checkpoints_folder(const std::filesystem::path& run_dir);
std::filesystem::path round_folder(const std::filesystem::path& run_dir, std::int64_t round);
std::filesystem::path unfinished_folder(const std::filesystem::path& run_dir, std::int64_t round);
std::filesystem::path replaced_folder(const std::filesystem::path& run_dir, std::int64_t round);

// The folder to read for each round, by name alone: nothing is opened. Empty if there are none.
std::map<std::int64_t, std::filesystem::path> list_round_folders(const std::filesystem::path& run_dir);

// Renames the unfinished folder of `round`, whose content is synced, into place; durable on return. Error if it fails.
void install_round_folder(const std::filesystem::path& run_dir, std::int64_t round);

// Removes a round's checkpoint. A failure is logged and ends here: it must not end a run (another process may read it).
void remove_round_folder(const std::filesystem::path& run_dir, std::int64_t round);

// Tidies up after a crash: unfinished folders go, replaced ones go or take their round's place again.
void mend_checkpoints_folder(const std::filesystem::path& run_dir);

}  // namespace resist
