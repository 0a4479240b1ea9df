#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resist {

// The content of an APP1 marker whose EXIF has two entries, the second of them the orientation.
struct ExifBlock {
  bool big_endian = false;
  unsigned tag = 0x0112;
  unsigned type = 3;
  unsigned count = 1;
  unsigned orientation = 6;
  unsigned directory = 8;  // its offset

  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> out = {'E', 'x', 'i', 'f', 0, 0};
    out.insert(out.end(), 2, big_endian ? 'M' : 'I');
    append(out, 42, 2);
    append(out, directory, 4);
    append(out, 2, 2);
    append_entry(out, 0x010F, 2, 4, 0);  // the camera's maker
    append_entry(out, tag, type, count, orientation);
    append(out, 0, 4);
    return out;
  }

 private:
  void append(std::vector<std::uint8_t>& out, unsigned value, unsigned bytes) const {
    for (unsigned i = 0; i < bytes; ++i) {
      out.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
    }
  }
  void append_entry(std::vector<std::uint8_t>& out, unsigned entry_tag, unsigned entry_type, unsigned entry_count,
                    unsigned value) const {
    append(out, entry_tag, 2);
    append(out, entry_type, 2);
    append(out, entry_count, 4);
    append(out, value, 2);
    append(out, 0, 2);
  }
};

}  // namespace resist
