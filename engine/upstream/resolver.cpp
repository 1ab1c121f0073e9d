#include "engine/upstream/resolver.h"

#include "engine/event/offload.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>

namespace fairlead::upstream {
namespace {

constexpr auto kKept = std::chrono::seconds(5);
constexpr std::size_t kMaxNames = 4096;

Result<std::vector<net::Ip>> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed)
    return fail(502, Fault::Upstream, fmt::format("looking up {}: {}", host, ::gai_strerror(failed)), true);
  std::vector<net::Ip> addresses;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    sockaddr_storage raw{};
    std::memcpy(&raw, at->ai_addr, at->ai_addrlen);
    const net::Ip ip = net::Address::from(raw).ip;
    if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
  }
  ::freeaddrinfo(found);
  if (addresses.empty())
    return fail(502, Fault::Upstream, fmt::format("looking up {}: no address", host), true);
  return addresses;
}

}  // namespace

struct Resolver::Entry : std::enable_shared_from_this<Entry> {
  std::vector<net::Ip> addresses;
  TimePoint until{};  // for so long they count
  std::optional<Error> failure;
  bool under_way = false;
  Task<void> asking;
  std::deque<Signal*> waiting;

  // Whoever wakes may wait again, or end others who wait.
  void wake() {
    for (std::size_t turns = waiting.size(); turns > 0 && !waiting.empty(); --turns) {
      Signal* const next = waiting.front();
      waiting.pop_front();
      next->notify();
    }
  }
};

// Of one who waits; given up however that ends.
class Resolver::Place {
 public:
  explicit Place(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {
    entry_->waiting.push_back(&signal_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::erase(entry_->waiting, &signal_); }

  Signal::Wait wait() { return signal_.wait(); }

 private:
  std::shared_ptr<Entry> entry_;
  Signal signal_;
};

std::shared_ptr<Resolver::Entry> Resolver::entry_of(const std::string& host) {
  if (const auto at = known_.find(host); at != known_.end()) return at->second;
  if (known_.size() >= kMaxNames)
    std::erase_if(known_, [](const auto& one) { return !one.second->under_way; });
  return known_[host] = std::make_shared<Entry>();
}

Task<void> Resolver::look_up(Entry& entry, event::Loop& loop, std::string host, Ask ask) {
  Result<std::vector<net::Ip>> found = co_await event::Offload::shared().run(
      loop, event::Lane::Names, [ask, name = std::move(host)] { return ask(name); });
  entry.failure.reset();
  if (found) {
    entry.addresses = std::move(*found);
    entry.until = loop.now() + kKept;
  } else {
    entry.failure = std::move(found.error());
  }
  entry.under_way = false;
  // Not from inside this task: who wakes may begin the next.
  loop.post([kept = entry.shared_from_this()] { kept->wake(); });
}

Task<Result<std::vector<net::Ip>>> Resolver::resolve(event::Loop& loop, std::string host) {
  const std::shared_ptr<Entry> entry = entry_of(host);
  if (!entry->under_way) {
    if (entry->until > loop.now()) co_return entry->addresses;
    entry->under_way = true;
    entry->asking = look_up(*entry, loop, std::move(host), ask_);
    entry->asking.start(nullptr);
  }
  while (entry->under_way) {
    Place place(entry);
    co_await place.wait();
  }
  if (entry->failure) co_return std::unexpected(*entry->failure);
  co_return entry->addresses;
}

Task<Result<std::vector<net::Ip>>> resolve(event::Loop& loop, std::string host) {
  thread_local Resolver resolver(ask_system);
  return resolver.resolve(loop, std::move(host));
}

}  // namespace fairlead::upstream
