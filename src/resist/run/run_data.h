#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "resist/data/dataset.h"

namespace resist {

// A run keeps what its data set is in RUN/data.json: the classes, how pixels are normalised, how many samples there
// are. So another data set that is given to it later is noticed, and one that may be given is read as the run's was.

void write_run_data(const std::filesystem::path& run_dir, const DataSource& data);

// For a run that is made from another: its data are that one's. Nothing where that one has none.
void copy_run_data(const std::filesystem::path& from, const std::filesystem::path& run_dir);

// How many samples the run trains on; nothing where it was made without saying so.
std::optional<std::int64_t> trained_samples(const std::filesystem::path& run_dir);

// For a run that goes on: InputError unless `data` is what it was trained on before.
void check_run_data(const std::filesystem::path& run_dir, const DataSource& data);

// InputError where no samples were held out; `option` needs some.
void check_held_out(const DataSource& data, std::string_view option);

// For a network that has been trained: `data` is normalised as the run's was. InputError unless the classes are the
// run's.
void adopt_run_data(const std::filesystem::path& run_dir, DataSource& data);

}  // namespace resist
