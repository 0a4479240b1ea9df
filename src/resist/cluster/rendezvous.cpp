#include "resist/cluster/rendezvous.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "resist/cluster/interface.h"
#include "resist/core/error.h"

namespace resist {
namespace {

nlohmann::json encode(const Cores& cores) {
  return {{"machine", cores.machine}, {"allowed", cores.allowed}, {"quota", cores.quota}, {"threads", cores.threads}};
}

std::string encode(const WorkerCard& card) {
  return nlohmann::json{{"host", card.host},           {"address", card.address}, {"stack", card.stack},
                        {"version", card.version},     {"device", card.device},   {"precision", card.precision},
                        {"cores", encode(card.cores)}, {"resumes", card.resumes}, {"config", card.config}}
      .dump();
}

WorkerCard decode(const std::string& text, int worker) {
  try {
    const auto json = nlohmann::json::parse(text);
    const auto& cores = json.at("cores");
    return {.host = json.at("host"),
            .address = json.at("address"),
            .stack = json.at("stack"),
            .version = json.at("version"),
            .device = json.at("device"),
            .precision = json.at("precision"),
            .cores = {.machine = cores.at("machine"),
                      .allowed = cores.at("allowed"),
                      .quota = cores.at("quota"),
                      .threads = cores.at("threads")},
            .resumes = json.at("resumes"),
            .config = json.at("config")};
  } catch (const nlohmann::json::exception& error) {
    throw InputError(
        fmt::format("worker {} runs another version of resist: its card can't be read ({})", worker, error.what()));
  }
}

StoreAccess access_of(const LaunchInfo& info) {
  return {.token = info.token, .job = info.job};
}

void check_address(const WorkerCard& own, const LaunchInfo& info) {
  require_token(fmt::format("the address {} of this worker's data connections", own.address), own.address,
                access_of(info));
}

void check_config(const nlohmann::json& first, const nlohmann::json& other, int worker, const std::string& host) {
  for (const auto& [name, value] : other.items()) {
    if (first.at(name) != value) {
      throw InputError(
          fmt::format("worker {} on {} has --{} {} where worker 0 has {}; start every worker with the same options",
                      worker, host, name, value.dump(), first.at(name).dump()));
    }
  }
}

}  // namespace

void check_cards(const std::vector<WorkerCard>& cards) {
  for (std::size_t worker = 1; worker < cards.size(); ++worker) {
    const WorkerCard& first = cards[0];
    const WorkerCard& other = cards[worker];
    if (other.version != first.version) {
      throw InputError(
          fmt::format("worker {} on {} runs {} where worker 0 on {} runs {}; install the same version everywhere",
                      worker, other.host, other.version, first.host, first.version));
    }
    if (other.resumes != first.resumes) {
      throw InputError(fmt::format("worker {} on {} {} where worker 0 {}; give all of them --resume, or none", worker,
                                   other.host, other.resumes ? "resumes a run" : "starts a run",
                                   first.resumes ? "resumes one" : "starts one"));
    }
    check_config(first.config, other.config, static_cast<int>(worker), other.host);
  }
  const bool one_host =
      std::ranges::all_of(cards, [&](const WorkerCard& card) { return card.stack == cards.front().stack; });
  for (std::size_t worker = 0; worker < cards.size() && !one_host; ++worker) {
    if (is_loopback(cards[worker].address)) {
      throw InputError(fmt::format(
          "worker {} on {} has the loopback address {}, which workers on other hosts can't reach; name its network "
          "with --interface, or give worker 0's real address as MASTER_ADDR",
          worker, cards[worker].host, cards[worker].address));
    }
  }
}

Store job_store(const Store& served, const std::string& job) {
  return served.under("resist/" + job);
}

Store job_store(const LaunchInfo& info, std::chrono::milliseconds deadline) {
  return job_store(Store::join(info.rendezvous_address, info.rendezvous_port, deadline, access_of(info)), info.job);
}

Rendezvous::Rendezvous(const LaunchInfo& info, std::chrono::milliseconds deadline) : info_(info), deadline_(deadline) {
  if (info.rank == 0 && !info.store_is_served && info.join == 0) {
    require_token(fmt::format("the rendezvous at {}:{}", info.rendezvous_address, info.rendezvous_port),
                  info.rendezvous_address, access_of(info));
    served_ = Store::host(info.rendezvous_port, deadline, access_of(info));
  }
  store_ = served_ ? job_store(*served_, info.job) : job_store(info, deadline);
}

Interrupted::Interrupted(int signal)
    : Error(fmt::format("ended by signal {} while waiting for the other workers", signal)), signal_(signal) {
}

std::vector<WorkerCard> Rendezvous::exchange(const WorkerCard& own, const std::atomic<int>& stop) {
  check_address(own, info_);
  store_->set(fmt::format("card/{}", info_.rank), encode(own));
  const auto end = std::chrono::steady_clock::now() + deadline_;
  std::vector<int> missing(static_cast<std::size_t>(info_.workers));
  std::iota(missing.begin(), missing.end(), 0);
  while (true) {
    const int signal = stop.load();
    std::erase_if(missing, [&](int worker) { return store_->has(fmt::format("card/{}", worker)); });
    if (missing.empty()) {
      break;
    }
    if (signal != 0) {
      throw Interrupted(signal);
    }
    if (std::chrono::steady_clock::now() > end) {
      throw Error(
          fmt::format("worker{} {} did not come within {} s (--rendezvous-timeout); {} of {} are here. Is every worker "
                      "started, and "
                      "can it reach {}:{}?",
                      missing.size() > 1 ? "s" : "", fmt::join(missing, ", "),
                      std::chrono::duration_cast<std::chrono::seconds>(deadline_).count(),
                      info_.workers - missing.size(), info_.workers, info_.rendezvous_address, info_.rendezvous_port));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::vector<WorkerCard> cards;
  cards.reserve(static_cast<std::size_t>(info_.workers));
  for (int worker = 0; worker < info_.workers; ++worker) {
    cards.push_back(decode(store_->get(fmt::format("card/{}", worker)), worker));
  }
  // Whoever serves the store stays until all have read the cards.
  store_->set(fmt::format("read/{}", info_.rank), "");
  for (int worker = 0; worker < info_.workers && served_; ++worker) {
    store_->get(fmt::format("read/{}", worker));
  }
  check_cards(cards);
  return cards;
}

WorkerCard Rendezvous::meet_first(const WorkerCard& own) {
  check_address(own, info_);
  WorkerCard first = decode(store_->get("card/0"), 0);
  WorkerCard joins = own;
  joins.resumes = first.resumes;
  check_cards({first, joins});
  return first;
}

void Rendezvous::check_data(const std::string& digest) const {
  if (store_->get("data") != digest) {
    throw InputError("this worker has other training or test data than the job that it is to join; give it the same");
  }
}

std::unique_ptr<Communicator> Rendezvous::connect(const WorkerCard& own, std::chrono::milliseconds deadline) {
  return make_gloo_communicator(store_->under("data"), info_.rank, info_.workers, own.address, deadline);
}

}  // namespace resist
