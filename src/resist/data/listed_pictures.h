#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "resist/data/corrupt_counter.h"
#include "resist/data/dataset.h"
#include "resist/data/picture.h"
#include "resist/data/picture_list.h"

namespace resist {

// The formats of up to kPicturesLookedAt evenly spaced pictures, from their headers. InputError names one that can't be
// used, unless `leave_out_damaged`.
std::vector<PictureFormat> look_at_pictures(const PictureList& list, bool leave_out_damaged);

// Listed picture files, each decoded whenever it is read.
class ListedPictures : public Dataset {
 public:
  // `input`: channels, height and width of the network's input. Pictures count as number first, first + 1, ... in
  // `corrupt`, which several data sets may share.
  ListedPictures(PictureList list, const PictureFormat& input, std::shared_ptr<CorruptCounter> corrupt,
                 std::int64_t first = 0);

  std::int64_t size() const override { return static_cast<std::int64_t>(list_.pictures.size()); }
  std::int64_t label(std::int64_t index) const override { return at(index).label; }
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                     std::span<std::uint8_t> buffer) const override;

 private:
  const ListedPicture& at(std::int64_t index) const { return list_.pictures.at(static_cast<std::size_t>(index)); }

  PictureList list_;
  PictureFormat input_;
  std::shared_ptr<CorruptCounter> corrupt_;
  std::int64_t first_;
};

}  // namespace resist
