#pragma once

// jpeglib.h needs <cstdio> before.
// clang-format off
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace resist {

// libjpeg reports errors by a callback that must not return, hence the jump. Functions that set a jump hold nothing
// that needs a destructor.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];

  // To be given to a decoder or encoder before anything else. Its warnings are errors too where the data is damaged and
  // libjpeg would make something up.
  jpeg_error_mgr* start();
};

// Ends what a decoder or encoder with JpegErrors does, with this message.
[[noreturn]] void jump_with(j_common_ptr codec, const char* message);

}  // namespace resist
