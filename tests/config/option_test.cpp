#include "resist/config/option.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "config/changed_options.h"
#include "support/input_error.h"

namespace resist {
namespace {

Config with(const std::string& name, const std::string& text) {
  Config config;
  set_option(config, name, text);
  return config;
}

std::set<std::string> names_where(bool (*test)(const Option&)) {
  std::set<std::string> names;
  for (const auto& option : option_table()) {
    if (test(option)) {
      names.insert(option.name);
    }
  }
  return names;
}

// The fields of Config, counted by hand through structured bindings: a new field breaks the build here, as a reminder
// that it needs an option.
std::size_t count_fields() {
  const Config config;
  const auto& [model, data, partition, train, outer, sync, evaluation, run, cluster] = config;
  [[maybe_unused]] const auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9] = model;
  [[maybe_unused]] const auto& [d1, d2, d3, d4, d5, d6, d7, d8] = data;
  [[maybe_unused]] const auto& [p1, p2, p3, p4, p5, p6, p7, p8, p9] = partition;
  [[maybe_unused]] const auto& [t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15, t16, t17, t18, t19,
                                t20] = train;
  [[maybe_unused]] const auto& [o1, o2, o3] = outer;
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5] = sync;
  [[maybe_unused]] const auto& [e1, e2, e3, e4, e5] = evaluation;
  [[maybe_unused]] const auto& [r1, r2, r3, r4, r5, r6, r7] = run;
  [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14] = cluster;
  return 9 + 8 + 9 + 20 + 3 + 5 + 5 + 7 + 14;
}

TEST(OptionTable, HasEveryFieldOnce) {
  std::set<std::string> names;
  for (const auto& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name << " is there twice";
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_FALSE(option.group.empty()) << option.name;
    EXPECT_FALSE(option.allowed.empty()) << option.name;
  }
  EXPECT_EQ(names.size(), count_fields());
  EXPECT_EQ(changed_options().size(), count_fields());
}

TEST(OptionTable, DefaultsAreWithinTheirBounds) {
  const Config config;
  for (const auto& option : option_table()) {
    Config other;
    EXPECT_NO_THROW(option.set(other, option.get(config))) << option.name;
    EXPECT_NO_THROW(set_option(other, option.name, option_text(config, option))) << option.name;
    EXPECT_EQ(to_json(other), to_json(config)) << option.name;
  }
  EXPECT_NO_THROW(validate(config));
}

TEST(OptionTable, EachOptionChangesItsOwnFieldOnly) {
  const auto before = to_json(Config());
  for (const auto& [name, text] : changed_options()) {
    const auto after = to_json(with(name, text));
    for (const auto& [other, value] : after.items()) {
      EXPECT_EQ(value != before.at(other), other == name) << name << " changed " << other;
    }
  }
}

TEST(OptionTable, RoundTripsThroughTextAndJson) {
  for (const auto& [name, text] : changed_options()) {
    const Config config = with(name, text);
    const auto json = to_json(config);
    EXPECT_EQ(to_json(config_from_json(json)), json) << name;
    EXPECT_EQ(to_json(config_from_json(nlohmann::json::parse(json.dump()))), json) << name;
    EXPECT_EQ(to_json(with(name, option_text(config, find_option(name)))), json) << name;
  }
}

TEST(OptionTable, AutoUnsetsOptionalFields) {
  for (const std::string name :
       {"crop-padding", "crop-area", "flip", "stem", "final-norm", "min-blocks", "final-min-blocks", "momentum-sync"}) {
    Config config = with(name, changed_options().at(name));
    set_option(config, name, "auto");
    EXPECT_EQ(to_json(config), to_json(Config())) << name;
  }
}

TEST(OptionTable, SaysWhatMayChangeOnResume) {
  EXPECT_EQ(names_where([](const Option& option) { return option.may_change_on_resume; }),
            (std::set<std::string>{"epochs",
                                   "rounds",
                                   "eval",
                                   "eval-every",
                                   "calibrate-samples",
                                   "skip-corrupt",
                                   "threads",
                                   "loader-threads",
                                   "data-dir",
                                   "run-dir",
                                   "resume",
                                   "replay-membership",
                                   "workers",
                                   "device",
                                   "precision",
                                   "interface",
                                   "port",
                                   "rendezvous",
                                   "join",
                                   "rendezvous-timeout",
                                   "timeout",
                                   "in-process",
                                   "checkpoint-every",
                                   "keep-checkpoints",
                                   "record-round",
                                   "tensorboard",
                                   "protect",
                                   "restarts",
                                   "token-file"}));
}

TEST(WorkerCount, IsANumberOrTheFewestAndTheMost) {
  const auto count = [](const std::string& text) {
    Config config;
    set_option(config, "workers", text);
    return std::pair(config.cluster.workers.least, config.cluster.workers.most);
  };
  EXPECT_EQ(count("4"), std::pair(1, 4));
  EXPECT_EQ(count("1:4"), std::pair(1, 4));
  EXPECT_EQ(count("3:4"), std::pair(3, 4));
  EXPECT_EQ(count("4:4"), std::pair(4, 4));
}

TEST(OptionTable, SaysWhatWorkersNeedNotShare) {
  EXPECT_EQ(names_where([](const Option& option) { return !option.same_on_all_workers; }),
            (std::set<std::string>{"threads", "loader-threads", "device", "precision", "interface", "run-dir", "resume",
                                   "replay-membership", "data-dir", "tensorboard", "restarts", "rendezvous", "join",
                                   "token-file"}));
}

TEST(SetOption, RefusesWhatIsMalformedOrOutOfBounds) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"lr", "nan"},
      {"lr", "inf"},
      {"lr", "-inf"},
      {"lr", "-0.1"},
      {"lr", "1e999"},
      {"lr", "1001"},
      {"lr", ""},
      {"lr", "0.1x"},
      {"lr", " 0.1"},
      {"lr", "0x10"},
      {"epochs", "-1"},
      {"momentum", "1"},
      {"workers", "-1"},
      {"workers", "1.5"},
      {"workers", "1025"},
      {"workers", "99999999999999999999"},
      {"workers", "0:4"},
      {"workers", "5:4"},
      {"workers", "1:1025"},
      {"workers", ":4"},
      {"workers", "2:"},
      {"workers", "1:2:3"},
      {"seed", "-1"},
      {"seed", "1e3"},
      {"batch-size", "0"},
      {"local-iterations", "0"},
      {"port", "65536"},
      {"timeout", "0"},
      {"timeout", "1s"},
      {"flip", "yes"},
      {"nesterov", "auto"},
      {"nesterov", "1"},
      {"method", "ResIST"},
      {"method", ""},
      {"schedule", "auto"},
      {"depths", "1,"},
      {"depths", "1 2"},
      {"depths", "0"},
      {"depths", "1,-2"},
      {"depths", "a"},
      {"depths", "1001"},
      {"depths", "1,1,1,1,1,1,1,1,1"},
      {"data", ""},
      {"data", "a\nb"},
      {"run-dir", "a\xff"},
      {"run-dir", std::string("a\0b", 3)},
      {"device", "gpu"},
      {"device", "cpu:0"},
      {"device", "cuda:"},
      {"device", "cuda:-1"},
      {"device", "cuda:01"},
      {"device", "cuda:1000"},
      {"device", "cuda:1 "},
      {"precision", "fp16"},
      {"min-blocks", "0"},
      {"min-blocks", "all"},
      {"partition-sections", ""},
      {"partition-sections", "0"},
      {"partition-sections", "9"},
      {"model", "resnet101"},
      {"momentum-sync", "none"},
      {"keep-checkpoints", "0"},
      {"eval-batch-size", "0"},
      {"crop-padding", "-1"},
      {"holdout", "-5"},
  };
  for (const auto& [name, text] : bad) {
    Config config;
    const auto message = input_error([&, &name = name, &text = text] { set_option(config, name, text); });
    EXPECT_TRUE(message.starts_with(name + " is ")) << message;
    EXPECT_TRUE(contains(message, "; it must be ")) << message;
    EXPECT_EQ(to_json(config), to_json(Config())) << name;
  }
}

TEST(SetOption, TakesAGpuByItsNumber) {
  for (const char* device : {"auto", "cpu", "cuda", "cuda:0", "cuda:15"}) {
    Config config;
    set_option(config, "device", device);
    EXPECT_EQ(config.cluster.device, device);
  }
}

TEST(SetOption, MessagesNameValueBoundsAndNearestWord) {
  Config config;
  EXPECT_EQ(input_error([&] { set_option(config, "lr", "7000"); }), "lr is 7000; it must be a number from 0 to 1000");
  EXPECT_EQ(input_error([&] { set_option(config, "method", "localsgd"); }),
            "method is 'localsgd'; it must be resist, local-sgd or data-parallel; did you mean 'local-sgd'?");
  EXPECT_EQ(input_error([&] { set_option(config, "wokers", "4"); }),
            "unknown option 'wokers'; did you mean 'workers'?");
  EXPECT_LT(input_error([&] { set_option(config, "data", std::string(5000, '\n')); }).size(), 200U);
}

TEST(ConfigFromJson, RefusesWrongTypesAndUnknownMembers) {
  using nlohmann::json;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<json> bad = {
      json::array(),
      "text",
      nullptr,
      {{"lr", "0.1"}},
      {{"lr", nullptr}},
      {{"lr", kNan}},
      {{"lr", kInfinity}},
      {{"workers", 4.0}},
      {{"workers", true}},
      {{"workers", "4"}},
      {{"seed", ~0ULL}},
      {{"depths", 3}},
      {{"depths", "1,2"}},
      {{"depths", {1, 2.5}}},
      {{"depths", {{1, 2}}}},
      {{"flip", 1}},
      {{"flip", "true"}},
      {{"data", 5}},
      {{"method", 0}},
      {{"method", json::object()}},
      {{"learning", 1}},
      {{"run-dir", "\xff"}},
      {{"", 1}},
      {{"\n\x01", 1}},
  };
  for (const auto& object : bad) {
    input_error([&] { config_from_json(object); });
  }
  EXPECT_TRUE(contains(input_error([] { config_from_json({{"batchsize", 1}}); }), "did you mean 'batch-size'?"));
  EXPECT_EQ(to_json(config_from_json(nlohmann::json::object())), to_json(Config()));
}

TEST(SharedJson, LeavesOutWhatMayDiffer) {
  Config a;
  Config b;
  for (const std::string name :
       {"threads", "device", "precision", "interface", "run-dir", "resume", "replay-membership", "data-dir"}) {
    set_option(b, name, changed_options().at(name));
  }
  EXPECT_EQ(shared_json(a), shared_json(b));
  set_option(b, "seed", "2");
  EXPECT_NE(shared_json(a), shared_json(b));
}

TEST(ResumeDifference, NamesEveryFixedOptionThatDiffers) {
  const Config before;
  Config now;
  set_option(now, "epochs", "5");
  set_option(now, "workers", "8");
  EXPECT_TRUE(resume_difference(before, now).empty());
  set_option(now, "lr", "0.1");
  set_option(now, "depths", "1,2,3");
  EXPECT_EQ(resume_difference(before, now), (std::vector<std::string>{"depths", "lr"}));
}

}  // namespace
}  // namespace resist
