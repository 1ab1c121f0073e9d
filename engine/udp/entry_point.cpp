#include "engine/udp/entry_point.h"

#include "engine/base/memory_budget.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>

namespace fairlead::udp {
namespace {

constexpr int kBatchesPerEvent = 4;  // so that a flood does not starve what else the worker does
constexpr Duration kSayAgain = std::chrono::seconds(10);
constexpr std::uint16_t kNoSlot = 0xffff;

}  // namespace

template <Session* Session::* Next, Session* Session::* Previous>
void EntryPoint::ListBy<Next, Previous>::append(Session& session) {
  session.*Previous = last;
  session.*Next = nullptr;
  (last ? last->*Next : first) = &session;
  last = &session;
}

template <Session* Session::* Next, Session* Session::* Previous>
void EntryPoint::ListBy<Next, Previous>::remove(Session& session) {
  (session.*Previous ? (session.*Previous)->*Next : first) = session.*Next;
  (session.*Next ? (session.*Next)->*Previous : last) = session.*Previous;
  session.*Next = session.*Previous = nullptr;
}

EntryPoint::EntryPoint(event::Loop& loop, std::string name, Fd socket, const Limits& limits,
                       std::shared_ptr<Counters> counters)
    : loop_(loop),
      name_(std::move(name)),
      socket_(std::move(socket)),
      limits_(limits),
      counters_(std::move(counters)) {
  net::tell_local_address(socket_.get());
  if (!loop_.add(socket_.get(), *this, EPOLLIN))
    spdlog::error("entry point {}: a worker cannot watch its socket: {}", name_, std::strerror(errno));
}

EntryPoint::~EntryPoint() {
  close_all();
  send_answers();
  close_socket();
}

void EntryPoint::close_socket() {
  if (!socket_) return;
  // Not by being closed alone: a socket from systemd stays open elsewhere.
  loop_.remove(socket_.get());
  socket_.reset();
}

void EntryPoint::adopt(std::shared_ptr<const Route> route) {
  if (!route) return;  // the entry point left the configuration: it is about to drain
  route_ = std::move(route);
  timeout_ = route_->timeout;
}

void EntryPoint::drain() {
  draining_ = true;
  loop_.at_tick_end(*this);
  for (List* list : {&fresh_, &proven_})
    for (Session* at = list->first; at;) {
      Session* following = at->next_;
      at->drain();
      at = following;
    }
}

void EntryPoint::close_all() {
  while (fresh_.first) fresh_.first->close();
  while (proven_.first) proven_.first->close();
}

void EntryPoint::on_tick_end() {
  send_answers();
  if (draining_ && sessions_.empty()) close_socket();
}

void EntryPoint::on_event(std::uint32_t) {
  if (!socket_) return;
  for (int i = 0; i < kBatchesPerEvent; ++i) {
    in_.clear();
    const int got = in_.receive(socket_.get(), net::DatagramBatch::kSlots);
    if (got <= 0) return;
    take_batch();
    if (static_cast<std::size_t>(got) < net::DatagramBatch::kSlots) return;
  }
}

// What came from one client goes on by one system call.
void EntryPoint::take_batch() {
  std::uint64_t bytes = 0;
  touched_.clear();
  for (std::uint16_t slot = 0; slot < in_.count(); ++slot) {
    bytes += in_.bytes(slot).size();
    Session* session = find_or_open(in_.end(slot));
    if (!session) continue;
    next_slot_[slot] = kNoSlot;
    if (std::exchange(session->in_batch_, true)) {
      next_slot_[session->last_slot_] = slot;
    } else {
      session->first_slot_ = slot;
      touched_.push_back(session);
      touch(*session);
    }
    session->last_slot_ = slot;
  }
  counters_->from_clients.add(in_.count());
  counters_->bytes_in.add(bytes);
  std::array<std::uint16_t, net::DatagramBatch::kSlots> slots;
  for (Session* session : touched_) {
    std::size_t count = 0;
    for (std::uint16_t slot = session->first_slot_; slot != kNoSlot; slot = next_slot_[slot])
      slots[count++] = slot;
    session->in_batch_ = false;
    session->forward({slots.data(), count});
  }
}

Session* EntryPoint::find_or_open(const net::DatagramEnd& from) {
  const SessionKey key(from);
  if (const auto found = sessions_.find(key); found != sessions_.end()) return found->second;
  return open(key, from);
}

Session* EntryPoint::open(const SessionKey& key, const net::DatagramEnd& from) {
  if (draining_) return nullptr;
  if (!route_ || !route_->service) {
    drop(Drop::NoServer, 1);
    return nullptr;
  }
  const net::Ip source = source_of(key.client);
  if (!make_room_for(source)) {
    drop(Drop::Source, 1);
    return nullptr;
  }
  if (MemoryBudget::instance().exhausted() || !make_room()) {
    drop(Drop::Full, 1);
    return nullptr;
  }
  Session& opened = *new Session(*this, from);
  sessions_.emplace(key, &opened);
  Source& of = sources_[source];
  ++of.sessions;
  of.fresh.append(opened);
  fresh_.append(opened);
  counters_->sessions.add();
  counters_->opened.add();
  return &opened;
}

bool EntryPoint::make_room() {
  if (sessions_.size() < limits_.sessions) return true;
  if (!fresh_.first) return false;
  evict(*fresh_.first);
  return true;
}

bool EntryPoint::make_room_for(const net::Ip& source) {
  const auto found = sources_.find(source);
  if (found == sources_.end() || found->second.sessions < limits_.per_source) return true;
  if (!found->second.fresh.first) return false;
  evict(*found->second.fresh.first);
  return true;
}

void EntryPoint::evict(Session& session) {
  session.close();
  counters_->evicted.add();
}

void EntryPoint::touch(Session& session) {
  List& list = session.proven_ ? proven_ : fresh_;
  if (list.last == &session) return;
  list.remove(session);
  list.append(session);
  if (session.proven_) return;
  Source& source = sources_.find(source_of(session.key().client))->second;
  source.fresh.remove(session);
  source.fresh.append(session);
}

void EntryPoint::prove(Session& session) {
  sources_.find(source_of(session.key().client))->second.fresh.remove(session);
  fresh_.remove(session);
  proven_.append(session);
}

void EntryPoint::remove(Session& session) {
  (session.proven_ ? proven_ : fresh_).remove(session);
  sessions_.erase(session.key());
  const auto source = sources_.find(source_of(session.key().client));
  if (!session.proven_) source->second.fresh.remove(session);
  if (--source->second.sessions == 0) sources_.erase(source);
  counters_->sessions.remove();
  if (draining_) loop_.at_tick_end(*this);
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&session));
}

ServerPtr EntryPoint::pick(Tried tried) const {
  return route_->service ? route_->service->pick(tried, loop_.now()) : nullptr;
}

net::DatagramBatch& EntryPoint::room_for_answers(std::size_t datagrams) {
  if (out_.room() < datagrams) send_answers();
  loop_.at_tick_end(*this);
  return out_;
}

void EntryPoint::send_answers() {
  const std::size_t waiting = out_.count();
  if (waiting == 0) return;
  const std::size_t went = out_.send_all(socket_.get());
  if (went < waiting) counters_->dropped[static_cast<std::size_t>(Drop::Unsent)].add(waiting - went);
}

void EntryPoint::drop(Drop why, std::uint64_t datagrams) {
  const auto index = static_cast<std::size_t>(why);
  counters_->dropped[index].add(datagrams);
  Said& said = said_[index];
  said.since += datagrams;
  if (why == Drop::Unsent || said.since == 0) return;
  if (said.at != TimePoint::min() && loop_.now() - said.at < kSayAgain) return;
  spdlog::warn("entry point {}: {} datagrams of clients dropped: {}", name_, std::exchange(said.since, 0),
               sentence(why));
  said.at = loop_.now();
}

std::string EntryPoint::sentence(Drop why) const {
  switch (why) {
    case Drop::Full:
      return fmt::format(
          "all {} sessions of this worker are in use, or no file descriptor is free; many new clients at "
          "once "
          "may be forged, else raise the limit of open files (ulimit -n, LimitNOFILE)",
          limits_.sessions);
    case Drop::Source:
      return fmt::format("one address has {} sessions on this worker, and all of them are in use",
                         limits_.per_source);
    case Drop::NoServer:
      if (!route_ || route_->router.empty()) return "no UDP router is on this entry point";
      if (!route_->service) return fmt::format("router {}: {}", route_->router, route_->trouble);
      break;
    case Drop::Unsent: return "the kernel's buffer is full";
  }
  const std::string trouble = route_->service->trouble();
  return fmt::format("router {}: no server answers{}{}", route_->router, trouble.empty() ? "" : ": ",
                     trouble);
}

}  // namespace fairlead::udp
