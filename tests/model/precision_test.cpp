#include "resist/model/precision.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace resist {
namespace {

TEST(Precision, WhatIsAskedForIsTaken) {
  EXPECT_EQ(choose_precision(Precision::fp32), Precision::fp32);
  EXPECT_EQ(choose_precision(Precision::bf16), Precision::bf16);
}

TEST(Precision, AutoIsWhatTheKernelSaysOfThisProcessor) {
  std::ifstream file("/proc/cpuinfo");
  std::ostringstream text;
  text << file.rdbuf();
  const bool has_bf16 = text.str().find(" avx512_bf16 ") != std::string::npos;
  EXPECT_EQ(choose_precision(Precision::automatic), has_bf16 ? Precision::bf16 : Precision::fp32);
}

}  // namespace
}  // namespace resist
