#include "resist/checkpoint/manifest.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "checkpoint/checkpoint_samples.h"
#include "resist/core/hash.h"

namespace resist {
namespace {

Manifest sample() {
  Manifest manifest;
  manifest.state = {.round = 120,
                    .iteration = 6000,
                    .samples = 3'072'000,
                    .stream_position = 768'000,
                    .returned_batches = {640'000, 640'256},
                    .workers = 4,
                    .block_scale = {6.0 / 22, 1},
                    .accuracy = 0.9123,
                    .config = {{"seed", 1}, {"lr", 0.03}}};
  manifest.parts["shared"] = {1234, hash_text("x")};
  return manifest;
}

// A manifest with this text in it and the right checksum.
std::string sealed(std::string body) {
  body.resize(body.rfind('}'));
  return body + ",\n  \"manifest_xxh3_128\": \"" + hash_text(body) + "\"\n}\n";
}

constexpr const char* kMinimal =
    R"({"format":"resist-checkpoint","version":1,"round":1,"iteration":2,"samples":3,"stream_position":4,)"
    R"("returned_batches":[],"workers":5,)"
    R"("block_scale":[0.5],"accuracy":null,"config":{},"parts":{"a.safetensors":{"bytes":1,"xxh3_128":"ab"}}})";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kMinimal;
  text.replace(text.find(from), from.size(), to);
  return sealed(text);
}

TEST(Manifest, ComesBackAsItWas) {
  const Manifest manifest = parse_manifest(format_manifest(sample()), "f");
  EXPECT_EQ(manifest.state.round, 120);
  EXPECT_EQ(manifest.state.iteration, 6000);
  EXPECT_EQ(manifest.state.samples, 3'072'000);
  EXPECT_EQ(manifest.state.stream_position, 768'000);
  EXPECT_EQ(manifest.state.returned_batches, (std::vector<std::int64_t>{640'000, 640'256}));
  EXPECT_EQ(manifest.state.workers, 4);
  EXPECT_EQ(manifest.state.block_scale, (std::vector<double>{6.0 / 22, 1}));
  EXPECT_TRUE(manifest.state.hands.empty());
  EXPECT_TRUE(manifest.state.paces.empty());
  EXPECT_EQ(manifest.state.accuracy, 0.9123);
  EXPECT_EQ(manifest.state.config, sample().state.config);
  EXPECT_EQ(manifest.parts.at("shared").bytes, 1234);
  EXPECT_EQ(manifest.parts.at("shared").checksum, hash_text("x"));
}

TEST(Manifest, KeepsWhatEachWorkerHoldsAndHowFastItWas) {
  Manifest balanced = sample();
  balanced.state.hands = {{8, 1}, {4, 1}, {6, 1}, {6, 1}};
  balanced.state.paces = {{0.1, 1e-300}, {}, {2}, {3}};
  const Manifest manifest = parse_manifest(format_manifest(balanced), "f");
  EXPECT_EQ(manifest.state.hands, balanced.state.hands);
  EXPECT_EQ(manifest.state.paces, balanced.state.paces);
}

TEST(Manifest, HasTheDocumentedKeys) {
  EXPECT_EQ(format_manifest(sample()),
            "{\n  \"format\": \"resist-checkpoint\",\n  \"version\": 1,\n  \"round\": 120,\n  \"iteration\": 6000,\n"
            "  \"samples\": 3072000,\n  \"stream_position\": 768000,\n"
            "  \"returned_batches\": [\n    640000,\n    640256\n  ],\n  \"workers\": 4,\n  \"block_scale\": [\n"
            "    0.2727272727272727,\n    1.0\n  ],\n  \"accuracy\": 0.9123,\n  \"config\": {\n    \"lr\": 0.03,\n"
            "    \"seed\": 1\n  },\n  \"parts\": {\n    \"shared.safetensors\": {\n      \"bytes\": 1234,\n"
            "      \"xxh3_128\": \"5c7401c0ec22eeeeeaf06c6480b2cd11\"\n    }\n  },\n"
            "  \"manifest_xxh3_128\": \"17c69bcbd58ee14e631b03dbb9568d47\"\n}\n");
}

TEST(Manifest, CarriesEveryBitOfADouble) {
  std::mt19937_64 random(11);  // NOLINT: a fixed seed is the point
  Manifest manifest = sample();
  manifest.state.block_scale = {-0.0, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()};
  while (manifest.state.block_scale.size() < 2000) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) {
      manifest.state.block_scale.push_back(value);
    }
  }
  const Manifest read = parse_manifest(format_manifest(manifest), "f");
  ASSERT_EQ(read.state.block_scale.size(), manifest.state.block_scale.size());
  for (std::size_t i = 0; i < read.state.block_scale.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read.state.block_scale[i]),
              std::bit_cast<std::uint64_t>(manifest.state.block_scale[i]));
  }
}

TEST(Manifest, AnAccuracyIsOptional) {
  Manifest manifest = sample();
  manifest.state.accuracy.reset();
  EXPECT_FALSE(parse_manifest(format_manifest(manifest), "f").state.accuracy.has_value());
  manifest.state.accuracy = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(parse_manifest(format_manifest(manifest), "f").state.accuracy.has_value());
}

TEST(Manifest, EveryChangedByteAndEveryCutIsNoticed) {
  const std::string text = format_manifest(sample());
  for (std::size_t place = 0; place < text.size(); ++place) {
    std::string changed = text;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    EXPECT_THROW(parse_manifest(changed, "f"), InputError) << place;
    EXPECT_THROW(parse_manifest(text.substr(0, place), "f"), InputError) << place;
  }
  EXPECT_THROW(parse_manifest(text + "\n", "f"), InputError);
}

TEST(Manifest, WrongTypesAreRefusedByName) {
  EXPECT_NO_THROW(parse_manifest(sealed(kMinimal), "f"));
  const auto refused = [](const std::string& from, const std::string& to, const std::string& reason) {
    const std::string message = message_of<InputError>([&] { parse_manifest(replaced(from, to), "m.json"); });
    EXPECT_NE(message.find(reason), std::string::npos) << message;
    EXPECT_NE(message.find("m.json"), std::string::npos) << message;
  };
  refused("\"round\":1", "\"round\":-1", "round must be a whole number");
  refused("\"round\":1", "\"round\":1.0", "round must be a whole number");
  refused("\"round\":1", "\"round\":\"1\"", "round must be a whole number");
  refused("\"round\":1", "\"round\":9223372036854775808", "round must be a whole number");
  refused("\"round\":1", "\"round\":1,\"round\":2", "the key \"round\" appears twice");
  refused("\"round\"", "\"rounds\"", "round is missing");
  refused("\"workers\":5", "\"workers\":4294967296", "workers must be a whole number");
  refused("\"accuracy\"", "\"paces\":[[1]],\"accuracy\"", "hands is missing");
  refused("\"accuracy\"", "\"hands\":[[1.5]],\"paces\":[[1]],\"accuracy\"", "hands must be lists of whole numbers");
  refused("\"accuracy\"", "\"hands\":[[-1]],\"paces\":[[1]],\"accuracy\"", "hands must be lists of whole numbers");
  refused("\"accuracy\"", "\"hands\":[],\"paces\":[[null]],\"accuracy\"", "paces must be a list of lists of numbers");
  refused("\"accuracy\"", "\"hands\":[],\"paces\":[1],\"accuracy\"", "paces must be a list of lists of numbers");
  refused("[0.5]", "0.5", "block_scale must be a list");
  refused("[0.5]", "[null]", "block_scale must be a list");
  refused("\"accuracy\":null", "\"accuracy\":\"high\"", "accuracy must be a number or null");
  refused("\"config\":{},", "", "config is missing");
  refused("\"version\":1", "\"version\":2", "does not know");
  refused("resist-checkpoint", "other\\n", "does not know");
  refused("{\"a.safetensors\":{\"bytes\":1,\"xxh3_128\":\"ab\"}}", "[]", "an object is missing");
  refused("\"a.safetensors\":{\"bytes\":1,\"xxh3_128\":\"ab\"}", "\"a.safetensors\":7", "an object is missing");
  refused("\"bytes\":1", "\"bytes\":-1", "bytes must be a whole number");
  refused("\"xxh3_128\":\"ab\"", "\"xxh3_128\":1", "xxh3_128 must be a text");
  refused("a.safetensors", "../a.safetensors", "is not the name of a part");
  refused("a.safetensors", ".safetensors", "is not the name of a part");
  refused("a.safetensors", "a", "is not the name of a part");
  refused("\"config\":{}", "\"config\":" + std::string(1000, '[') + std::string(1000, ']'), "nested deeper");
  EXPECT_THROW(parse_manifest(sealed("{ broken }"), "f"), InputError);
  EXPECT_THROW(parse_manifest("", "f"), InputError);
}

TEST(Manifest, TextThatIsNotUtf8CantBeStored) {
  Manifest manifest = sample();
  manifest.state.config = {{"data", "\xff"}};
  EXPECT_THROW(format_manifest(manifest), Error);
}

}  // namespace
}  // namespace resist
