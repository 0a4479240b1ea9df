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

TEST(Precision, WordsGiveTheReasonOfAChoice) {
  EXPECT_EQ(precision_in_words(Precision::fp32, true), "fp32");
  EXPECT_EQ(precision_in_words(Precision::bf16, false), "bf16");
  EXPECT_EQ(precision_in_words(Precision::automatic, true), "bf16 (it multiplies that)");
  EXPECT_EQ(precision_in_words(Precision::automatic, false), "fp32 (it does not multiply bf16)");
}

}  // namespace
}  // namespace resist
