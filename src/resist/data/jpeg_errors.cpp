#include "resist/data/jpeg_errors.h"

#include <jerror.h>

namespace resist {
namespace {

[[noreturn]] void on_error(j_common_ptr codec) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  errors->base.format_message(codec, errors->message);
  std::longjmp(errors->jump, 1);
}

// Whether a warning is about something that leaves every pixel as it was: stray bytes between segments, odd markers.
// Ordinary pictures have them.
bool is_harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_JFIF_MAJOR || warning == JWRN_ADOBE_XFORM ||
         warning == JWRN_TOO_MUCH_DATA;
}

void on_message(j_common_ptr codec, int level) {
  const bool is_warning = level < 0;
  if (is_warning && !is_harmless(codec->err->msg_code)) {
    on_error(codec);
  }
}

}  // namespace

void jump_with(j_common_ptr codec, const char* message) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  std::snprintf(errors->message, sizeof errors->message, "%s", message);
  std::longjmp(errors->jump, 1);
}

jpeg_error_mgr* JpegErrors::start() {
  jpeg_std_error(&base);
  base.error_exit = on_error;
  base.emit_message = on_message;
  return &base;
}

}  // namespace resist
