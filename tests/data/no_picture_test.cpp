#include "expect_input_error.h"
#include "resist/data/picture.h"

namespace resist {
namespace {

TEST(Picture, WithoutTheLibrariesSaysHowToGetThem) {
  expect_input_error([] { picture_format("a.png"); }, {"a.png", "RESIST_WITH_PICTURES"});
}

}  // namespace
}  // namespace resist
