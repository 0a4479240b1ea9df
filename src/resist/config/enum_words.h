#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "resist/config/config.h"

namespace resist {

// The text of every enumeration, as flags, files and reports write it. This is the only place that knows it.

template <typename Enum>
struct EnumWord {
  Enum value;
  std::string_view text;
};

template <typename Enum>
inline constexpr std::array<EnumWord<Enum>, 0> kWords{};

template <>
inline constexpr auto kWords<Recipe> = std::to_array<EnumWord<Recipe>>({{Recipe::paper, "paper"},
                                                                        {Recipe::best, "best"}});

template <>
inline constexpr auto kWords<Method> = std::to_array<EnumWord<Method>>({{Method::resist, "resist"},
                                                                        {Method::local_sgd, "local-sgd"},
                                                                        {Method::data_parallel, "data-parallel"}});

template <>
inline constexpr auto kWords<PartitionMode> = std::to_array<EnumWord<PartitionMode>>({{PartitionMode::equal, "equal"},
                                                                                      {PartitionMode::exact, "exact"}});

template <>
inline constexpr auto kWords<Dealing> = std::to_array<EnumWord<Dealing>>({{Dealing::shuffled, "shuffled"},
                                                                          {Dealing::strata, "strata"}});

template <>
inline constexpr auto kWords<Balance> = std::to_array<EnumWord<Balance>>({{Balance::none, "none"},
                                                                          {Balance::speed, "speed"}});

template <>
inline constexpr auto kWords<MomentumSync> = std::to_array<EnumWord<MomentumSync>>(
    {{MomentumSync::reset, "reset"}, {MomentumSync::carry, "carry"}, {MomentumSync::average, "average"}});

template <>
inline constexpr auto kWords<Compression> = std::to_array<EnumWord<Compression>>({{Compression::none, "none"},
                                                                                  {Compression::bf16, "bf16"},
                                                                                  {Compression::int8, "int8"},
                                                                                  {Compression::int6, "int6"},
                                                                                  {Compression::int4, "int4"}});

template <>
inline constexpr auto kWords<Protection> = std::to_array<EnumWord<Protection>>({{Protection::none, "none"},
                                                                                {Protection::buddy, "buddy"}});

template <>
inline constexpr auto kWords<Schedule> = std::to_array<EnumWord<Schedule>>({{Schedule::step, "step"},
                                                                            {Schedule::cosine, "cosine"},
                                                                            {Schedule::constant, "constant"}});

template <>
inline constexpr auto kWords<DataMode> = std::to_array<EnumWord<DataMode>>({{DataMode::replicated, "replicated"},
                                                                            {DataMode::sharded, "sharded"}});

template <>
inline constexpr auto kWords<Inference> = std::to_array<EnumWord<Inference>>({{Inference::scaled, "scaled"},
                                                                              {Inference::ensemble, "ensemble"}});

template <>
inline constexpr auto kWords<Precision> = std::to_array<EnumWord<Precision>>({{Precision::automatic, "auto"},
                                                                              {Precision::fp32, "fp32"},
                                                                              {Precision::bf16, "bf16"}});

template <>
inline constexpr auto kWords<BlockType> = std::to_array<EnumWord<BlockType>>({{BlockType::preact, "preact"},
                                                                              {BlockType::postact, "postact"}});

template <>
inline constexpr auto kWords<Stem> = std::to_array<EnumWord<Stem>>({{Stem::conv3, "conv3"}, {Stem::conv7, "conv7"}});

template <typename Enum>
constexpr std::string_view to_word(Enum value) {
  for (const auto& word : kWords<Enum>) {
    if (word.value == value) {
      return word.text;
    }
  }
  return "";  // not a value of the enumeration
}

template <typename Enum>
constexpr std::optional<Enum> from_word(std::string_view text) {
  for (const auto& word : kWords<Enum>) {
    if (word.text == text) {
      return word.value;
    }
  }
  return std::nullopt;
}

}  // namespace resist
