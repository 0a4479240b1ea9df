#include "expect_input_error.h"
#include "resist/data/picture.h"

namespace resist {
namespace {

TEST(Picture, WithoutTheLibrariesSaysHowToGetThem) {
  expect_input_error([] { picture_format("\x89PNG"); }, {"RESIST_WITH_PICTURES"});
  expect_input_error([] { read_picture("\x89PNG", Framing::whole(), {1, 1, 1}, {}); }, {"RESIST_WITH_PICTURES"});
  expect_input_error([] { shrink_picture("\x89PNG", 10); }, {"RESIST_WITH_PICTURES"});
  expect_input_error([] { read_picture_file("a.png"); }, {"a.png", "RESIST_WITH_PICTURES"});
}

}  // namespace
}  // namespace resist
