#include "resist/cluster/rendezvous.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ostream>
#include <thread>

#include "resist/cluster/host_facts.h"
#include "resist/cluster/interface.h"
#include "resist/cluster/worker_register.h"
#include "resist/comm/exchange.h"
#include "resist/comm/message_checksum.h"
#include "resist/core/error.h"

namespace resist {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr auto kServed = std::chrono::seconds(60);    // longest wait for this process's own store
constexpr auto kPatience = std::chrono::seconds(10);  // with workers that give no sign of life

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

std::string card_key(int worker) {
  return fmt::format("card/{}", worker);
}

// Of a rendezvous; with `name`, only the one of that name. Also one that was named without its attempt.
std::vector<std::string> living_jobs(const Store& served, const std::string& name, const std::atomic<int>& stop) {
  std::vector<std::string> jobs = job_names(served);
  std::erase_if(jobs, [&](const std::string& job) {
    if (stop.load() != 0) {
      return true;
    }
    const bool named = name.empty() || job == name || job.substr(0, job.rfind('.')) == name;
    const WorkerRegister workers(job_store(served, job));
    return !named || workers.is_over() || !workers.started() || !workers.shows_life(kPatience);
  });
  return jobs;
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

namespace {

Store served_to(const LaunchInfo& info, std::chrono::milliseconds deadline) {
  if (info.rank != 0 || info.store_is_served || info.join > 0) {
    return Store::join(info.rendezvous_address, info.rendezvous_port, deadline, access_of(info));
  }
  require_token(fmt::format("the rendezvous at {}:{}", info.rendezvous_address, info.rendezvous_port),
                info.rendezvous_address, access_of(info));
  return Store::host(info.rendezvous_port, deadline, access_of(info));
}

Store found_at(const Endpoint& at, const std::string& token, std::chrono::milliseconds deadline,
               const std::atomic<int>& stop) {
  spdlog::info("looking for a job to join at {}:{}, for {} s at most", at.host, at.port,
               std::chrono::duration_cast<std::chrono::seconds>(deadline).count());
  try {
    return Store::join(at.host, at.port, deadline, {.token = token, .gives_up = [&] { return stop.load() != 0; }});
  } catch (const Error&) {
    if (const int signal = stop.load(); signal != 0) {
      throw Interrupted(signal);
    }
    throw;
  }
}

}  // namespace

Rendezvous::Rendezvous(const LaunchInfo& info, std::chrono::milliseconds deadline)
    : info_(info), job_(info.job), deadline_(deadline), served_(served_to(info, deadline)) {
}

Rendezvous::Rendezvous(const Endpoint& at, const std::string& token, std::chrono::milliseconds deadline,
                       const std::atomic<int>& stop)
    : info_{.source = "--join",
            .rendezvous_address = at.host,
            .rendezvous_port = at.port,
            .store_is_served = true,
            .token = token},
      deadline_(deadline),
      served_(found_at(at, token, deadline, stop)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::vector<std::string> jobs;
  while ((jobs = living_jobs(served_, at.job, stop)).empty()) {
    if (const int signal = stop.load(); signal != 0) {
      throw Interrupted(signal);
    }
    if (std::chrono::steady_clock::now() > end) {
      throw Error(fmt::format("no job{} trains at {}:{}; is it started, and is that its rendezvous?",
                              at.job.empty() ? "" : " " + at.job, at.host, at.port));
    }
    std::this_thread::sleep_for(kPoll);
  }
  if (jobs.size() > 1) {
    throw InputError(fmt::format("several jobs train at {0}:{1}: {2}; name one, as in --join {0}:{1}/{3}", at.host,
                                 at.port, fmt::join(jobs, ", "), jobs.front()));
  }
  info_.job = jobs.front();
  store_ = job_store(served_, info_.job);
}

Interrupted::Interrupted(int signal)
    : Error(fmt::format("ended by signal {} while waiting for the other workers", signal)), signal_(signal) {
}

// The newest attempt at this job that is not over. False: it trains already.
bool Rendezvous::find_attempt() {
  while (true) {
    info_.job = name_of_attempt(job_, attempt_);
    store_ = job_store(served_, info_.job);
    WorkerRegister workers(*store_);
    // Where the launcher says that this worker joins, there is no doubt about it.
    if (!workers.is_over() && workers.started() && (info_.join > 0 || workers.shows_life(kPatience))) {
      return false;
    }
    // If a worker like this one has been here, it ended before the job began.
    if (!workers.is_over() && !workers.started() && !store_->has(card_key(info_.rank))) {
      return true;
    }
    workers.note_over();
    ++attempt_;
  }
}

// Until every worker has left its `what`. False: meanwhile the attempt was given up.
bool Rendezvous::wait_for_all(const std::string& what, std::chrono::steady_clock::time_point end,
                              const std::atomic<int>& stop) {
  const WorkerRegister workers(*store_);
  std::vector<int> missing = everyone(info_.workers);
  while (true) {
    const int signal = stop.load();
    std::erase_if(missing, [&](int worker) { return store_->has(fmt::format("{}/{}", what, worker)); });
    if (missing.empty()) {
      return true;
    }
    if (signal != 0) {
      throw Interrupted(signal);
    }
    if (std::chrono::steady_clock::now() > end) {
      throw Error(
          fmt::format("worker{} {} did not come within {} s (--rendezvous-timeout); {} of {} are here. Is every worker "
                      "started, and can it reach {}:{}?",
                      missing.size() > 1 ? "s" : "", fmt::join(missing, ", "),
                      std::chrono::duration_cast<std::chrono::seconds>(deadline_).count(),
                      info_.workers - missing.size(), info_.workers, info_.rendezvous_address, info_.rendezvous_port));
    }
    if (workers.is_over()) {
      return false;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

std::optional<std::vector<WorkerCard>> Rendezvous::exchange(const WorkerCard& own, const std::atomic<int>& stop) {
  check_address(own, info_);
  const auto end = std::chrono::steady_clock::now() + deadline_;
  while (find_attempt()) {
    store_->set(card_key(info_.rank), encode(own));
    if (!wait_for_all("card", end, stop)) {
      continue;
    }
    std::vector<WorkerCard> cards;
    cards.reserve(static_cast<std::size_t>(info_.workers));
    for (int worker = 0; worker < info_.workers; ++worker) {
      cards.push_back(decode(store_->get(card_key(worker)), worker));
    }
    // A card may be what is left of a worker that is gone; who has read them all is there.
    store_->set(fmt::format("read/{}", info_.rank), "");
    if (!wait_for_all("read", end, stop)) {
      continue;
    }
    store_->set(fmt::format("met/{}", info_.rank), "");
    if (info_.rank == 0 && !info_.store_is_served) {
      wait_for_all("met", end, stop);  // whoever serves the store stays until all have come so far
    }
    check_cards(cards);
    return cards;
  }
  return std::nullopt;
}

WorkerCard Rendezvous::meet_first(const WorkerCard& own) {
  check_address(own, info_);
  WorkerCard first = decode(store_->get(card_key(0)), 0);
  WorkerCard joins = own;
  joins.resumes = first.resumes;
  check_cards({first, joins});
  return first;
}

void Rendezvous::add_card(int identity, const WorkerCard& own) {
  store_->set(card_key(identity), encode(own));
}

std::vector<WorkerCard> Rendezvous::present_cards() const {
  std::vector<WorkerCard> cards;
  for (const int worker : WorkerRegister(*store_).present_workers()) {
    cards.push_back(decode(store_->get(card_key(worker)), worker));
  }
  return cards;
}

void Rendezvous::note_data(const std::string& digest) {
  store_->set("data", digest);
  add_job_name(served_, info_.job);
}

void Rendezvous::check_data(const std::string& digest) const {
  if (store_->get("data") != digest) {
    throw InputError("this worker has other training or test data than the job that it is to join; give it the same");
  }
}

std::unique_ptr<Communicator> Rendezvous::connect(const WorkerCard& own, std::chrono::milliseconds deadline) {
  return make_gloo_communicator(store_->under("data"), info_.rank, info_.workers, own.address, deadline,
                                message_fence(WorkerRegister(*store_).mark(), 0));
}

void serve_rendezvous(int port, const std::string& token, const std::atomic<int>& stop, std::ostream& out) {
  const Store store = Store::host(port, kServed, {.token = token});
  const std::string host = token.empty() ? "127.0.0.1" : host_name_and_address().name;
  out << fmt::format("the rendezvous is at {0}:{1}; workers find it with: resist train --rendezvous {0}:{1}\n", host,
                     store.port())
      << std::flush;
  while (stop.load() == 0) {
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace resist
