#include "resist/cluster/environment.h"

#include <gtest/gtest.h>

#include <map>

#include "resist/core/error.h"

namespace resist {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<LaunchInfo> detect(const Variables& variables) {
  return detect_launcher([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

const Variables kTorchrun = {{"RANK", "3"},
                             {"WORLD_SIZE", "4"},
                             {"LOCAL_WORLD_SIZE", "2"},
                             {"MASTER_ADDR", "node0"},
                             {"MASTER_PORT", "1234"},
                             {"TORCHELASTIC_RUN_ID", "night"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

TEST(DetectLauncher, NothingIsNothing) {
  EXPECT_FALSE(detect({}).has_value());
  EXPECT_FALSE(detect({{"RANK", "0"}}).has_value());
}

TEST(DetectLauncher, Torchrun) {
  const auto info = detect(kTorchrun);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->rank, 3);
  EXPECT_EQ(info->workers, 4);
  EXPECT_EQ(info->rendezvous_address, "node0");
  EXPECT_EQ(info->rendezvous_port, 1234);
  EXPECT_FALSE(info->store_is_served);
  EXPECT_NE(info->source.find("torchrun"), std::string::npos);
  // The agent listens on its own port.
  EXPECT_EQ(detect(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"))->rendezvous_port, 1235);
  EXPECT_EQ(port_beside(65535), 65534);
  EXPECT_TRUE(detect(with(kTorchrun, kOwnLauncher, "local"))->store_is_served);
  EXPECT_NE(detect(with(kTorchrun, "TORCHELASTIC_RESTART_COUNT", "2"))->job, info->job);
}

TEST(DetectLauncher, WhoSetsTorchrunsVariablesByHandIsNotToldOfTorchrun) {
  Variables by_hand = kTorchrun;
  by_hand.erase("TORCHELASTIC_RUN_ID");
  EXPECT_EQ(detect(by_hand)->source, "RANK and WORLD_SIZE");
}

TEST(DetectLauncher, ARendezvousOfItsOwnIsWhereItIsSaidToBe) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const Variables variables = with(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"), "LOCAL_WORLD_SIZE", "4");
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  const auto info = detect_launcher(environment, Endpoint{.host = "meeting", .port = 4000});
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->rendezvous_port, 4000);
  EXPECT_TRUE(info->store_is_served);
  EXPECT_EQ(with_token(*info, "").rendezvous_address, "meeting");
}

TEST(DetectLauncher, Slurm) {
  EXPECT_FALSE(detect({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).has_value());  // a batch script
  const Variables slurm = {{"SLURM_PROCID", "1"},
                           {"SLURM_STEP_ID", "0"},
                           {"SLURM_NTASKS", "4"},
                           {"SLURM_STEP_NUM_NODES", "2"},
                           {"SLURM_STEP_NODELIST", "node[07-08]"},
                           {"SLURM_JOB_ID", "123456"}};
  const auto info = detect(slurm);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->rank, 1);
  EXPECT_EQ(info->workers, 4);
  EXPECT_EQ(info->rendezvous_address, "node07");
  EXPECT_EQ(info->rendezvous_port, 20000 + 3456);
  EXPECT_EQ(detect(with(slurm, "MASTER_ADDR", "10.0.0.1"))->rendezvous_address, "10.0.0.1");
}

TEST(DetectLauncher, OpenMpi) {
  const Variables mpi = {
      {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  const auto info = detect(mpi);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->rank, 1);
  EXPECT_EQ(info->rendezvous_address, "127.0.0.1");
  EXPECT_EQ(info->rendezvous_port, kDefaultPort);
  EXPECT_THROW(detect(with(mpi, "OMPI_COMM_WORLD_LOCAL_SIZE", "1")), InputError);  // two machines need MASTER_ADDR
}

TEST(DetectLauncher, WorkersOfOneMachineNeedNoTokenAndMeetOnLoopback) {
  const std::string token = "0123456789abcdef0123456789abcdef";
  const Variables mpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                         {"OMPI_COMM_WORLD_SIZE", "2"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                         {"MASTER_ADDR", "node0"}};
  const Variables slurm = {{"SLURM_PROCID", "1"},
                           {"SLURM_STEP_ID", "0"},
                           {"SLURM_NTASKS", "4"},
                           {"SLURM_STEP_NUM_NODES", "1"},
                           {"SLURM_STEP_NODELIST", "node0"}};
  for (const Variables& variables : {with(kTorchrun, "LOCAL_WORLD_SIZE", "4"), mpi, slurm}) {
    const auto info = detect(variables);
    EXPECT_EQ(with_token(*info, "").rendezvous_address, "127.0.0.1");
    EXPECT_EQ(with_token(*info, token).rendezvous_address, "node0");
    EXPECT_EQ(with_token(*info, token).token, token);
  }
  const Variables two_machines = with(with(mpi, "OMPI_COMM_WORLD_SIZE", "4"), "OMPI_COMM_WORLD_RANK", "3");
  for (const Variables& variables : {kTorchrun, with(slurm, "SLURM_STEP_NUM_NODES", "2"), two_machines}) {
    EXPECT_EQ(with_token(*detect(variables), "").rendezvous_address, "node0");
  }
}

TEST(DetectLauncher, RefusesWhatMakesNoSenseAndNamesTheVariable) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"RANK", "4"},       {"RANK", "-1"},           {"RANK", "two"},    {"RANK", "1x"},
      {"WORLD_SIZE", "0"}, {"MASTER_PORT", "70000"}, {"MASTER_ADDR", ""}};
  for (const auto& [name, value] : wrong) {
    try {
      detect(with(kTorchrun, name, value));
      ADD_FAILURE() << name << "=" << value << " was taken";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

TEST(FirstHost, ReadsSlurmsCompactLists) {
  EXPECT_EQ(first_host("login"), "login");
  EXPECT_EQ(first_host("a1,a2"), "a1");
  EXPECT_EQ(first_host("node[03-05,7],login"), "node03");
  EXPECT_EQ(first_host("node[7]"), "node7");
  EXPECT_EQ(first_host("rack1-node[2,4]-ib"), "rack1-node2-ib");
  EXPECT_EQ(first_host("rack1-node[2,4]-ib,other"), "rack1-node2-ib");
  EXPECT_THROW(first_host("node[3"), InputError);
}

TEST(DetectLauncher, ARendezvousThatIsServedElsewhereReplacesTheLaunchers) {
  const Endpoint elsewhere{.host = "node9", .port = 7};
  const auto info = detect_launcher(
      [&](const std::string& name) -> std::optional<std::string> {
        return name == "RANK"         ? std::optional<std::string>("0")
               : name == "WORLD_SIZE" ? std::optional<std::string>("2")
                                      : std::nullopt;
      },
      elsewhere);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->rendezvous_address, "node9");
  EXPECT_EQ(info->rendezvous_port, 7);
  EXPECT_TRUE(info->store_is_served);
}

TEST(Endpoint, IsReadAndWritten) {
  for (const std::string text : {"node0:29500", "10.0.0.1:1/night.0", "[fe80::1]:65535"}) {
    EXPECT_EQ(to_text(parse_endpoint("join", text)), text);
  }
  EXPECT_EQ(parse_endpoint("join", "[fe80::1]:80").host, "fe80::1");
  EXPECT_EQ(parse_endpoint("join", "a:80/b").job, "b");
  for (const std::string text : {"", "node0", ":80", "node0:", "node0:0", "node0:65536", "node0:8x"}) {
    EXPECT_THROW(parse_endpoint("join", text), InputError) << text;
  }
}

}  // namespace
}  // namespace resist
