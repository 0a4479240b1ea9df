#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "resist/comm/communicator.h"
#include "resist/plan/link.h"

namespace resist {

// Messages take the time that they would take over these links, in a virtual time of each worker's own that they carry
// along: nothing waits for real, and the result is the same in every run. For one thread per worker.
class VirtualLinks : public Communicator {
 public:
  // `inner` must outlive it.
  VirtualLinks(Communicator& inner, std::vector<Link> links)
      : Communicator(inner.rank(), inner.size(), inner.deadline()), inner_(inner), links_(std::move(links)) {}

  // Seconds since the start, of what this worker has waited for.
  double now() const { return now_; }

  void abort() override { inner_.abort(); }

 protected:
  std::unique_ptr<Transfer> start_send(std::span<const std::byte> bytes, int peer, std::uint32_t tag) override {
    // It begins when the receiver has said that it has room.
    std::array<double, 1> asked{};
    inner_.receive(std::as_writable_bytes(std::span(asked)), peer, room_tag(tag))->wait();
    const double way = own().latency + link(peer).latency;
    const double rate = std::min(own().bandwidth, link(peer).bandwidth);
    link_free_ = std::max({now_, link_free_, asked[0] + way}) + static_cast<double>(bytes.size()) * 8 * kFraming / rate;
    auto sent = std::make_unique<Stamped>(*this);
    sent->until = link_free_;
    sent->stamp[0] = link_free_ + way;
    sent->parts.push_back(inner_.send(std::as_bytes(std::span(sent->stamp)), peer, tag));
    sent->parts.push_back(inner_.send(bytes, peer, tag));
    return sent;
  }
  std::unique_ptr<Transfer> start_receive(std::span<std::byte> bytes, int peer, std::uint32_t tag) override {
    auto received = std::make_unique<Stamped>(*this);
    received->asked[0] = now_;
    received->parts.push_back(inner_.send(std::as_bytes(std::span(received->asked)), peer, room_tag(tag)));
    received->parts.push_back(inner_.receive(std::as_writable_bytes(std::span(received->stamp)), peer, tag));
    received->parts.push_back(inner_.receive(bytes, peer, tag));
    return received;
  }

 private:
  struct Stamped : Transfer {
    explicit Stamped(VirtualLinks& communicator) : links(communicator) {}
    void wait() override {
      for (const auto& part : parts) {
        part->wait();
      }
      links.now_ = std::max(links.now_, until < 0 ? stamp[0] : until);
    }

    VirtualLinks& links;
    std::array<double, 1> asked{};  // when room for it was offered
    std::array<double, 1> stamp{};  // when it arrives
    double until = -1;              // when it is out; -1: it is received
    std::vector<std::unique_ptr<Transfer>> parts;
  };

  static std::uint32_t room_tag(std::uint32_t tag) { return tag | 0x80000000U; }

  const Link& own() const { return link(rank()); }
  const Link& link(int worker) const { return links_[static_cast<std::size_t>(worker)]; }

  Communicator& inner_;
  std::vector<Link> links_;
  double now_ = 0;
  double link_free_ = 0;  // until then what was sent before is on its way out
};

}  // namespace resist
