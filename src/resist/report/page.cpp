#include "resist/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "resist/core/error.h"
#include "resist/core/file.h"
#include "resist/core/hash.h"
#include "resist/report/page_parts.h"
#include "resist/report/report_json.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// `text` with each {{name}} replaced. What was put in is not looked at again.
std::string fill_in(std::string_view text,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string result;
  while (true) {
    const std::size_t begin = text.find("{{");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find("}}", begin);
    if (end == std::string_view::npos) {
      return result.append(text);
    }
    const std::string_view name = text.substr(begin + 2, end - begin - 2);
    const auto* const value =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (value == values.end()) {
      throw Error(fmt::format("the report's page asks for '{}', which there is not", name));
    }
    result.append(text.substr(0, begin)).append(value->second);
    text.remove_prefix(end + 2);
  }
}

std::string title_of(const std::vector<RunHistory>& runs) {
  std::string title;
  for (const RunHistory& run : runs) {
    title += fmt::format("{}{}", title.empty() ? "" : ", ", run.name);
  }
  return title;
}

}  // namespace

std::string content_security_policy(PageKind kind, std::string_view nonce) {
  return fmt::format(
      "default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; img-src data:; connect-src {1}; base-uri "
      "'none'; form-action 'none'",
      nonce, kind == PageKind::live ? "'self'" : "'none'");
}

std::string report_page(const std::vector<RunHistory>& runs, const std::string& json, PageKind kind,
                        std::string_view nonce) {
  const PageParts& parts = page_parts();
  return fill_in(parts.page, {{"policy", content_security_policy(kind, nonce)},
                              {"nonce", nonce},
                              {"title", escape_html(title_of(runs))},
                              {"kind", kind == PageKind::live ? "live" : "file"},
                              {"style", parts.style},
                              {"script", parts.script},
                              {"plot_style", parts.plot_style},
                              {"plot_script", parts.plot_script},
                              {"plot_licence", parts.plot_licence},
                              {"data", json}});
}

std::vector<RunHistory> read_runs(const std::vector<fs::path>& run_dirs) {
  const std::vector<std::string> names = run_names(run_dirs);
  std::vector<RunHistory> runs;
  for (std::size_t i = 0; i < run_dirs.size(); ++i) {
    runs.push_back(read_run_history(run_dirs[i]));
    runs.back().name = names[i];
  }
  return runs;
}

namespace {

// The file that `output` stands for, links followed: it will be replaced. InputError where that would cost something
// that is no report.
fs::path check_output(const fs::path& output, const std::vector<fs::path>& run_dirs) {
  std::error_code error;
  fs::path file = fs::weakly_canonical(output, error);
  if (output == "-" || error || (fs::exists(file, error) && !fs::is_regular_file(file, error))) {
    throw InputError(fmt::format("can't write the report to '{}', which is not a file; name one, such as report.html",
                                 output.string()));
  }
  for (const fs::path& run_dir : run_dirs) {
    const auto run = fs::weakly_canonical(run_dir, error);
    const bool inside = std::mismatch(run.begin(), run.end(), file.begin(), file.end()).first == run.end();
    if (inside && file.extension() != ".html") {
      throw InputError(
          fmt::format("can't write the report to '{}': that would replace what belongs to the run; name a "
                      "file that ends in .html",
                      output.string()));
    }
  }
  return file;
}

}  // namespace

void write_report(const std::vector<fs::path>& run_dirs, const fs::path& output) {
  const std::vector<RunHistory> runs = read_runs(run_dirs);
  if (std::all_of(runs.begin(), runs.end(), [](const RunHistory& run) { return run.records.empty(); })) {
    throw InputError(fmt::format("'{}' has no round yet{}, so there is nothing to report; wait for its first one",
                                 run_dirs.empty() ? "" : run_dirs.front().string(),
                                 run_dirs.size() > 1 ? ", nor have the others" : ""));
  }
  const fs::path file = check_output(output, run_dirs);
  const std::string json = report_json(runs);
  write_file_atomically(file, report_page(runs, json, PageKind::file, hash_text(json)));
}

}  // namespace resist
