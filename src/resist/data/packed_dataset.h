#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "resist/data/corrupt_counter.h"
#include "resist/data/dataset.h"
#include "resist/data/packed_file.h"

namespace resist {

// The samples of one part.
struct PackedPart {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// The part of this name; count 0: there is none.
PackedPart find_part(const PackedHeader& header, std::string_view name);

// What the header says of the data set. `image_size`: see open_data; pixels are the input as they are stored unless it
// is another size than theirs.
DatasetInfo packed_dataset_info(const PackedHeader& header, int image_size);

// One part of a packed file.
class PackedDataset : public Dataset {
 public:
  // `info` says what the network's input is. `corrupt` counts samples over all parts. `labels`: what each of the file's
  // labels is to be; empty: as it is.
  PackedDataset(std::shared_ptr<const PackedFile> file, const PackedPart& part, const DatasetInfo& info,
                std::shared_ptr<CorruptCounter> corrupt, std::vector<std::uint32_t> labels = {});

  std::int64_t size() const override { return part_.count; }
  std::int64_t label(std::int64_t index) const override;
  std::span<const std::uint8_t> read(std::int64_t index, const Framing& framing,
                                     std::span<std::uint8_t> buffer) const override;

 private:
  std::int64_t in_file(std::int64_t index) const;

  std::shared_ptr<const PackedFile> file_;
  PackedPart part_;
  PictureFormat input_;
  std::shared_ptr<CorruptCounter> corrupt_;
  std::vector<std::uint32_t> labels_;
};

}  // namespace resist
