#include "resist/data/listed_pictures.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "resist/core/error.h"
#include "resist/data/input_rule.h"
#include "resist/data/picture_file.h"

namespace resist {

std::vector<PictureFormat> look_at_pictures(const PictureList& list, bool leave_out_damaged) {
  std::vector<PictureFormat> formats;
  for (const std::int64_t index : evenly_spaced(static_cast<std::int64_t>(list.pictures.size()), kPicturesLookedAt)) {
    const std::string& name = list.pictures[static_cast<std::size_t>(index)].name;
    try {
      formats.push_back(with_picture(list.folder / name, [](const std::string& file) { return picture_format(file); }));
    } catch (const InputError& error) {
      if (!leave_out_damaged) {
        throw;
      }
      spdlog::debug("not looked at: {}", error.what());
    }
  }
  return formats;
}

ListedPictures::ListedPictures(PictureList list, const PictureFormat& input, std::shared_ptr<CorruptCounter> corrupt,
                               std::int64_t first)
    : list_(std::move(list)), input_(input), corrupt_(std::move(corrupt)), first_(first) {
}

std::span<const std::uint8_t> ListedPictures::read(std::int64_t index, const Framing& framing,
                                                   std::span<std::uint8_t> buffer) const {
  try {
    with_picture(list_.folder / at(index).name,
                 [&](const std::string& file) { read_picture(file, framing, input_, buffer); });
    return buffer;
  } catch (const InputError& error) {
    corrupt_->leave_out(first_ + index, error);
    return {};
  }
}

}  // namespace resist
