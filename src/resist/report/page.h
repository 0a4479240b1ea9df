#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "resist/report/run_history.h"

namespace resist {

enum class PageKind {
  file,  // shows the data that it carries; needs no network
  live,  // also asks its server for newer data
};

// What a browser may do for the page: run what carries the nonce and nothing else, load nothing.
std::string content_security_policy(PageKind kind, std::string_view nonce);

// The page: one HTML document with its styles, its scripts, the plotting library and `json` (report_json) in it.
// `nonce`: letters and digits that nobody can know who chose what `json` holds.
std::string report_page(const std::vector<RunHistory>& runs, const std::string& json, PageKind kind,
                        std::string_view nonce);

// The histories of these runs, with names that tell them apart. InputError names a run that can't be read.
std::vector<RunHistory> read_runs(const std::vector<std::filesystem::path>& run_dirs);

// `resist report`: writes the page about these runs to `output`, replacing it (never half a file). InputError where a
// run can't be read, where none has a round yet, and where `output` is a folder.
void write_report(const std::vector<std::filesystem::path>& run_dirs, const std::filesystem::path& output);

}  // namespace resist
