#include "resist/model/norm_statistics.h"

#include <string_view>

namespace resist {

std::map<std::string, std::int64_t> norm_channels(const Layout& layout) {
  constexpr std::string_view kWeight = ".weight";
  std::map<std::string, std::int64_t> channels;
  const auto add = [&](const std::vector<Parameter>& parameters) {
    for (const Parameter& parameter : parameters) {
      if (parameter.kind == ParameterKind::norm_weight) {
        channels[parameter.name.substr(0, parameter.name.size() - kWeight.size())] = parameter.size;
      }
    }
  };
  add(layout.shared);
  for (const BlockLayout& block : layout.blocks) {
    add(block.parameters);
  }
  return channels;
}

}  // namespace resist
