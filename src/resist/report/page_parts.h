#pragma once

#include <string_view>

namespace resist {

// The files under page/ and third_party/uplot/, which the program carries with it.
struct PageParts {
  std::string_view page;    // HTML with {{places}}
  std::string_view style;   // ours
  std::string_view script;  // ours
  std::string_view plot_style;
  std::string_view plot_script;
  std::string_view plot_licence;
};

const PageParts& page_parts();

}  // namespace resist
