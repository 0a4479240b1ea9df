#include "resist/report/live_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "report/sample_run.h"
#include "support/input_error.h"
#include "support/temporary_folder.h"

namespace resist {
namespace {

namespace fs = std::filesystem;

class LiveServerTest : public testing::Test {
 protected:
  LiveServerTest() { write_run(path(), sample_config(), sample_records(2)); }

  fs::path path() const { return folder_.path() / "a"; }

  static httplib::Result get(const LiveServer& server, const std::string& target,
                             const httplib::Headers& headers = {}) {
    return httplib::Client("127.0.0.1", server.port()).Get(target, headers);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(LiveServerTest, GivesThePage) {
  const LiveServer server({path()}, {});
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()) + "/");
  const auto page = get(server, "/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_TRUE(contains(page->get_header_value("Content-Type"), "text/html"));
  EXPECT_TRUE(contains(page->body, "<title>a - resist</title>"));
  EXPECT_TRUE(contains(page->body, "data-kind=\"live\""));
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  const std::string policy = page->get_header_value("Content-Security-Policy");
  EXPECT_TRUE(contains(policy, "default-src 'none'"));
  EXPECT_TRUE(contains(policy, "frame-ancestors 'none'"));
  EXPECT_NE(get(server, "/")->get_header_value("Content-Security-Policy"), policy) << "a nonce is for one page";
}

TEST_F(LiveServerTest, GivesDataWithATagThatLastsUntilItChanges) {
  const LiveServer server({path()}, {});
  const auto first = get(server, "/data.json");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(first->body)["runs"][0]["columns"]["round"], nlohmann::json({1, 2}));
  const httplib::Headers known = {{"If-None-Match", first->get_header_value("ETag")}};
  const auto same = get(server, "/data.json", known);
  EXPECT_EQ(same->status, 304);
  EXPECT_TRUE(same->body.empty());

  std::ofstream(path() / "metrics.jsonl", std::ios::app) << to_json(sample_record(3)).dump() << '\n';
  httplib::Result next = get(server, "/data.json", known);
  while (next && next->status == 304) {  // reading has its share of the time, no more
    next = get(server, "/data.json", known);
  }
  ASSERT_TRUE(next);
  EXPECT_EQ(next->status, 200);
  EXPECT_EQ(nlohmann::json::parse(next->body)["runs"][0]["columns"]["round"], nlohmann::json({1, 2, 3}));
}

// httplib itself would send memory beyond the text.
TEST_F(LiveServerTest, GivesNoPartsAndNothingBeyondTheEnd) {
  const LiveServer server({path()}, {});
  for (const char* const target : {"/", "/data.json"}) {
    const std::size_t size = get(server, target)->body.size();
    for (const std::string& range :
         {std::string("0-10"), fmt::format("0-{}", size + 1999), fmt::format("{}-{}", size + 100, size + 400),
          std::string("0-400000000"), fmt::format("0-5,10-{}", size + 5000), std::string("-10")}) {
      const auto answer = get(server, target, {{"Range", "bytes=" + range}});
      ASSERT_TRUE(answer) << range;
      EXPECT_EQ(answer->status, 416) << range;
      EXPECT_LT(answer->body.size(), 400U) << range;  // the reason, perhaps in parts
    }
  }
}

TEST_F(LiveServerTest, GivesNothingElse) {
  const LiveServer server({path()}, {});
  for (const char* const target : {"/config.toml", "/a", "/a/config.toml", "/../a/config.toml", "//", "/data.json/",
                                   "/%2e%2e/a/config.toml", "/favicon.ico", "/index.html"}) {
    const auto answer = get(server, target);
    ASSERT_TRUE(answer) << target;
    EXPECT_EQ(answer->status, 404) << target;
  }
  httplib::Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Post("/data.json", "x", "text/plain")->status, 405);
  EXPECT_EQ(client.Delete("/")->status, 405);
  const auto head = client.Head("/data.json");
  EXPECT_EQ(head->status, 200);
  EXPECT_TRUE(head->body.empty());
}

TEST_F(LiveServerTest, AnswersOnlyToItsOwnAddress) {
  const LiveServer server({path()}, {});
  const std::string port = ":" + std::to_string(server.port());
  for (const std::string& own : {"127.0.0.1" + port, "localhost" + port, "LocalHost" + port, "[::1]" + port,
                                 std::string("127.0.0.1"), std::string("localhost:1234")}) {  // a forwarded port
    EXPECT_EQ(get(server, "/data.json", {{"Host", own}})->status, 200) << own;
  }
  for (const std::string& foreign :
       {"example.org" + port, "127.0.0.1.example.org" + port, "localhost.example.org" + port, std::string(),
        std::string("[::1"), std::string("192.0.2.7")}) {
    for (const char* const target : {"/", "/data.json"}) {
      const auto answer = get(server, target, {{"Host", foreign}});
      ASSERT_TRUE(answer) << foreign;
      EXPECT_EQ(answer->status, 403) << foreign;
      EXPECT_EQ(answer->body.find("columns"), std::string::npos) << foreign;
    }
  }
}

TEST_F(LiveServerTest, OnAllAddressesItKnowsTheOneThatWasAskedAndTheMachinesName) {
  const LiveServer server({path()}, {.host = "0.0.0.0"});
  EXPECT_EQ(get(server, "/data.json", {{"Host", "127.0.0.1"}})->status, 200);
  EXPECT_EQ(get(server, "/data.json", {{"Host", "192.0.2.7"}})->status, 403);
  EXPECT_EQ(get(server, "/data.json", {{"Host", "example.org"}})->status, 403);
  const std::string own = server.url().substr(std::string("http://").size());
  EXPECT_EQ(get(server, "/data.json", {{"Host", own.substr(0, own.size() - 1)}})->status, 200) << own;
}

TEST_F(LiveServerTest, RefusesWhatItCanNotServe) {
  const auto refusal = [&](const fs::path& run, const LiveServerOptions& options) {
    return input_error([&] { const LiveServer server({run}, options); });
  };
  EXPECT_TRUE(contains(refusal(path() / "none", {}), "there is no such folder"));
  EXPECT_TRUE(contains(refusal(path(), {.host = "192.0.2.7"}), "can't listen on 192.0.2.7:0"));
  const LiveServer server({path()}, {});
  const std::string taken = refusal(path(), {.port = server.port()});
  EXPECT_TRUE(
      contains(taken, "can't listen on 127.0.0.1:" + std::to_string(server.port()) + ": Address already in use"));
}

TEST_F(LiveServerTest, ServesUntilItIsStopped) {
  std::atomic<int> stop = 0;
  std::ostringstream out;
  auto served = std::async(std::launch::async, [&] { serve_runs({path()}, {}, stop, out); });
  stop = 2;
  served.get();
  EXPECT_TRUE(contains(out.str(), "http://127.0.0.1:"));
}

TEST_F(LiveServerTest, AnswersManyAtOnce) {
  const LiveServer server({path()}, {});
  constexpr int kAsked = 16;
  std::vector<std::future<int>> answers;
  answers.reserve(kAsked);
  for (int i = 0; i < kAsked; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i] {
      const auto answer = get(server, i % 2 == 0 ? "/" : "/data.json");
      return answer ? answer->status : 0;
    }));
  }
  for (auto& answer : answers) {
    EXPECT_EQ(answer.get(), 200);
  }
}

}  // namespace
}  // namespace resist
