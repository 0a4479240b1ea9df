#include "resist/checkpoint/safetensors_header.h"

#include <gtest/gtest.h>

#include <limits>

#include "checkpoint/checkpoint_samples.h"

namespace resist {
namespace {

struct Hostile {
  const char* text;
  const char* reason;
};

// All with 8 bytes of data after the header.
constexpr Hostile kHostile[] = {
    {"", "does not start with '{'"},
    {" {}", "does not start with '{'"},
    {"[]", "does not start with '{'"},
    {"{", "not valid JSON"},
    {"{} x", "not valid JSON"},
    {"{}", "describes 0 bytes of data, the file has 8"},
    {R"({"a":1})", "can't be the number 1"},
    {R"({"a":null})", "can't be null"},
    {R"({"a":[]})", "can't be an array"},
    {R"({"a":{}})", "needs dtype, shape and two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[2]}})", "needs dtype, shape and two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "needs dtype, shape and two data_offsets"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "too many numbers"},
    {R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", "dtype of tensor \"a\" is \"F16\""},
    {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", "can't be the number 7"},
    {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "has the key \"dtype\" twice"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})", "unknown key \"more\""},
    {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "can't be the number 2"},
    {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "can't be the number -2"},
    {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "can't be a fraction"},
    {R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}})", "not valid JSON"},
    {R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", "can't be a string"},
    {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "can't be an array"},
    {R"({"a":{"dtype":"F32","shape":[true],"data_offsets":[0,8]}})", "can't be a boolean"},
    {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", "can't be the number"},
    {R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}})", "is too large"},
    {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "is too large"},
    {R"({"a":{"dtype":"F32","shape":[2147483648,2147483649,2],"data_offsets":[0,8]}})", "is too large"},
    {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "needs 12 bytes"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "leaving a hole"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", "leaving a hole"},
    {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "describes 16 bytes of data, the file has 8"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "describes 4 bytes of data, the file has 8"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     "the key \"a\" appears twice"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     "starts at byte 4, inside"},
    {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
     "starts at byte 8, leaving a hole"},
    {R"({"__metadata__":{"k":1}})", "the value of \"k\" can't be the number 1"},
    {R"({"__metadata__":{"k":{}}})", "can't be an object"},
    {R"({"__metadata__":"k"})", "can't be a string"},
    {R"({"__metadata__":{"k":"1","k":"2"}})", "metadata key \"k\" appears twice"},
    {R"({"__metadata__":{},"__metadata__":{}})", "the key \"__metadata__\" appears twice"},
    {"{\"a\\n\":1}", "\"a\\n\" can't be"},
};

TEST(ParseSafetensorsHeader, RefusesHostileHeadersInOneLine) {
  for (const Hostile& hostile : kHostile) {
    const std::string message =
        message_of<InputError>([&] { parse_safetensors_header(hostile.text, 8, "a.safetensors"); });
    EXPECT_NE(message.find(hostile.reason), std::string::npos) << hostile.text << "\n" << message;
    EXPECT_NE(message.find("a.safetensors"), std::string::npos) << message;
  }
}

TEST(ParseSafetensorsHeader, RefusesDeepNestingAtOnce) {
  std::string arrays = R"({"a":{"dtype":"F32","data_offsets":[0,8],"shape":)" + std::string(1'000'000, '[');
  EXPECT_THROW(parse_safetensors_header(arrays, 8, "f"), InputError);
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) {
    objects += "{\"a\":";
  }
  EXPECT_THROW(parse_safetensors_header(objects, 8, "f"), InputError);
}

TEST(ParseSafetensorsHeader, SortsByOffsetAndAllowsEmptyTensors) {
  const SafetensorsHeader header = parse_safetensors_header(
      R"({"z":{"dtype":"F32","shape":[],"data_offsets":[4,8]},"e":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]},)"
      R"("a":{"shape":[1,1],"data_offsets":[0,4],"dtype":"F32"}}   )",
      8, "f");
  ASSERT_EQ(header.tensors.size(), 3U);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[1].name, "e");
  EXPECT_EQ(header.tensors[2].name, "z");
  EXPECT_EQ(header.offsets, (std::vector<std::int64_t>{0, 4, 4}));
  EXPECT_EQ(header.data_bytes, 8);
}

TEST(TensorBytes, IsSafeFromOverflow) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(tensor_bytes({}), 4);
  EXPECT_EQ(tensor_bytes({2, 3}), 24);
  EXPECT_EQ(tensor_bytes({0, kLargest}), 0);
  EXPECT_EQ(tensor_bytes({kLargest / 4}), kLargest / 4 * 4);
  EXPECT_EQ(tensor_bytes({kLargest / 4 + 1}), -1);
  EXPECT_EQ(tensor_bytes({-1, -4}), -1);
}

TEST(FormatSafetensorsHeader, RefusesTensorsThatCantBeWritten) {
  const auto refused = [](const std::vector<TensorSpec>& tensors) {
    EXPECT_THROW(format_safetensors_header(tensors, {}), Error);
  };
  refused({{"a", {1}}, {"a", {1}}});
  refused({{"__metadata__", {1}}});
  refused({{"a", {-1}}});
  refused({{"a", {std::numeric_limits<std::int64_t>::max()}}});
  refused({{"a", {std::int64_t{1} << 60}}, {"b", {std::int64_t{1} << 60}}});
  refused({{"\xff", {1}}});
}

TEST(FormatSafetensorsHeader, AlignsTheDataToEightBytes) {
  for (std::size_t length = 1; length < 20; ++length) {
    const std::string header = format_safetensors_header({{std::string(length, 'n'), {1}}}, {});
    EXPECT_EQ(header.size() % 8, 0U);
    EXPECT_EQ(parse_safetensors_header(header.substr(8), 4, "f").tensors[0].name.size(), length);
  }
}

}  // namespace
}  // namespace resist
