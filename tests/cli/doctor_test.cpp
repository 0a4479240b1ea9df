#include "resist/cli/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "resist/core/error.h"
#include "support/input_error.h"

namespace resist {
namespace {

// A machine without fault.
DoctorFacts good_facts() {
  DoctorFacts facts;
  facts.release = "resist 1.2.3";
  facts.torch = {.version = "2.1.0", .parallel = "OpenMP", .threads = 4, .blas = "OpenBLAS 0.3.21", .onednn = true};
  facts.pictures = facts.onnx = facts.processes = true;
  facts.cores = {.machine = "here", .allowed = {0, 1, 2, 3}};
  facts.machine_cores = 4;
  facts.memory = {.total_bytes = 8'000'000'000, .available_bytes = 6'000'000'000};
  facts.processor = {.model = "A processor", .features = {"AVX2", "FMA"}};
  facts.interfaces = {{.name = "lo", .addresses = {"127.0.0.1"}, .up = true, .loopback = true},
                      {.name = "eth0", .addresses = {"10.0.0.5"}, .up = true, .megabits = 1000}};
  facts.host = {.name = "node1", .address = "10.0.0.5"};
  facts.ephemeral = PortRange{.first = 32768, .last = 60999};
  facts.free_bytes = 5'000'000'000;
  facts.sets = {{.name = "mnist", .folder = "data/mnist"}};
  return facts;
}

Finding topic(const DoctorFacts& facts, const std::string& name) {
  const auto findings = findings_of(facts);
  const auto found =
      std::find_if(findings.begin(), findings.end(), [&](const Finding& one) { return one.topic == name; });
  EXPECT_NE(found, findings.end()) << name;
  return found == findings.end() ? Finding{} : *found;
}

TEST(Doctor, FindsNothingWhereNothingIsWrong) {
  for (const Finding& finding : findings_of(good_facts())) {
    EXPECT_EQ(finding.health, Health::good) << finding.topic << ": " << finding.found;
  }
  EXPECT_EQ(topic(good_facts(), "libtorch").found, "2.1.0, OpenMP, 4 threads, oneDNN");
  EXPECT_EQ(topic(good_facts(), "processor").found, "A processor, AVX2, FMA; --precision auto computes in float32");
  EXPECT_EQ(topic(good_facts(), "ports").found, "rendezvous 29500 is free; ephemeral range 32768 to 60999");
}

TEST(Doctor, OnlyWhatTrainingNeedsIsBroken) {
  DoctorFacts facts = good_facts();
  facts.torch.problem = "illegal";
  EXPECT_EQ(topic(facts, "libtorch").health, Health::broken);
  facts = good_facts();
  facts.loopback_problem = "Operation not permitted";
  EXPECT_EQ(topic(facts, "ports").health, Health::broken);
  facts = good_facts();
  facts.launcher_problem = "RANK is '5'";
  EXPECT_EQ(topic(facts, "launcher").health, Health::broken);
}

TEST(Doctor, EverythingElseThatMattersIsANoteWithAdvice) {
  DoctorFacts facts = good_facts();
  facts.torch.fast_blas = false;
  facts.torch.blas = "/usr/lib/libblas.so.3";
  facts.pictures = facts.onnx = facts.processes = false;
  facts.cores.quota = 1.5;
  facts.memory.limit_bytes = 500'000'000;
  facts.processor.slow = true;
  facts.graphics = {"NVIDIA H100"};
  facts.host.address = "127.0.1.1";
  facts.port_problem = "Address already in use";
  facts.free_bytes.reset();
  facts.sets[0] = {.name = "mnist", .missing = "put it there"};
  for (const char* name : {"BLAS", "pictures", "ONNX", "gRPC", "cores", "memory", "processor", "GPU", "host name",
                           "ports", "disk", "data"}) {
    EXPECT_EQ(topic(facts, name).health, Health::note) << name;
    EXPECT_NE(topic(facts, name).advice, "") << name;
  }
  EXPECT_TRUE(contains(topic(facts, "GPU").advice, "libtorch for CUDA"));
  facts.usable_graphics = 1;
  EXPECT_TRUE(contains(topic(facts, "GPU").advice, "--device cuda only"));
  EXPECT_TRUE(contains(topic(facts, "ports").advice, "--port"));
}

TEST(Doctor, AHostNameThatIsLoopbackIsFineWithoutANetwork) {
  DoctorFacts facts = good_facts();
  facts.interfaces.pop_back();
  facts.host.address = "127.0.0.1";
  EXPECT_EQ(topic(facts, "host name").health, Health::good);
  const auto findings = findings_of(facts);
  EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.topic == "network" && finding.health == Health::note;
  }));
}

TEST(Doctor, PrintsATableOrJsonAndReturnsTheExitCode) {
  DoctorFacts facts = good_facts();
  std::ostringstream table;
  EXPECT_EQ(print_findings(findings_of(facts), OutputFormat::table, table), kExitDone);
  EXPECT_TRUE(contains(table.str(), "ok      version    resist 1.2.3\n"));
  EXPECT_TRUE(contains(table.str(), "nothing that training needs is broken; notes: 0\n"));

  facts.torch.problem = "illegal";
  facts.host.name = "n\xff";  // not UTF-8
  std::ostringstream text;
  EXPECT_EQ(print_findings(findings_of(facts), OutputFormat::json, text), kExitFailed);
  const auto json = nlohmann::json::parse(text.str());
  EXPECT_EQ(json.at("healthy"), false);
  EXPECT_EQ(json.at("findings").at(1).at("topic"), "libtorch");
  EXPECT_EQ(json.at("findings").at(1).at("health"), "broken");
  EXPECT_EQ(json.at("findings").at(1).at("values").at("threads"), 4);
}

TEST(Doctor, LooksAtThisMachine) {
  const DoctorFacts facts = gather_facts({});
  EXPECT_FALSE(facts.torch.version.empty());
  EXPECT_EQ(facts.torch.problem, "");
  EXPECT_GT(facts.machine_cores, 0);
  EXPECT_GT(facts.memory.total_bytes, 0);
  EXPECT_EQ(facts.sets.size(), 5U);
}

}  // namespace
}  // namespace resist
