#include "engine/upstream/redis.h"

#include "engine/base/strings.h"
#include "engine/net/address.h"
#include "engine/net/transport.h"
#include "engine/upstream/dialer.h"
#include "engine/upstream/fetch_tls.h"
#include "engine/upstream/resolver.h"
#include "engine/upstream/secure.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/uio.h>

#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

namespace fairlead::upstream {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;
constexpr int kMaxRedirections = 5;
constexpr std::size_t kMaxAnswer = 1 << 20;  // bytes; hiredis keeps all of one that is not complete
constexpr std::size_t kMaxNodes = 1000;      // as many as a cluster may have

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

void append_command(std::string& out, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const auto size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size > 0) out.append(command, static_cast<std::size_t>(size));
  redisFreeCommand(command);
}

RedisReply convert(const redisReply& from) {
  RedisReply to;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      to.kind = RedisReply::Kind::Integer;
      to.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      to.kind = RedisReply::Kind::List;
      for (std::size_t i = 0; i < from.elements; ++i) to.items.push_back(convert(*from.element[i]));
      break;
    case REDIS_REPLY_NIL: break;
    case REDIS_REPLY_ERROR:
      to.kind = RedisReply::Kind::Error;
      to.text.assign(from.str, from.len);
      break;
    default:
      to.kind = RedisReply::Kind::Text;
      if (from.str) to.text.assign(from.str, from.len);
  }
  return to;
}

struct Endpoint {
  std::string host;
  std::uint16_t port = 6379;
};

// Where a node of a cluster sends a command: "MOVED 3999 10.0.0.1:6381", or "ASK …" while a slot moves.
struct Redirection {
  Endpoint to;
  bool asking = false;
};

std::optional<Redirection> redirection(const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::Error) return std::nullopt;
  const std::vector<std::string_view> words = split(reply.text, ' ');
  if (words.size() != 3 || (words[0] != "MOVED" && words[0] != "ASK")) return std::nullopt;
  const std::size_t colon = words[2].rfind(':');
  if (colon == words[2].npos || colon == 0) return std::nullopt;
  const auto port = parse_digits(words[2].substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return Redirection{{std::string(words[2].substr(0, colon)), static_cast<std::uint16_t>(*port)},
                     words[0] == "ASK"};
}

// A transport must not go away inside one of its own calls.
struct Dead final : event::Destroyable {
  explicit Dead(std::unique_ptr<net::Transport> dead) : transport(std::move(dead)) {}
  std::unique_ptr<net::Transport> transport;
};

}  // namespace

struct Redis::Settings {
  RedisOptions options;
  std::vector<Endpoint> endpoints;

  // The same for one node of the cluster that `endpoints` belong to; null when there are too many.
  std::shared_ptr<const Settings> node(const Endpoint& at) const {
    const std::lock_guard lock(nodes->mutex);
    const auto known = nodes->all.find({at.host, at.port});
    if (known != nodes->all.end()) return known->second;
    if (nodes->all.size() == kMaxNodes) return nullptr;
    auto made = std::make_shared<Settings>();
    made->options = options;
    made->endpoints = {at};
    return nodes->all[{at.host, at.port}] = std::move(made);
  }

  // Workers find nodes at their own pace, and share what is known of them.
  struct Nodes {
    std::mutex mutex;
    std::map<std::pair<std::string, std::uint16_t>, std::shared_ptr<const Settings>> all;
  };
  std::shared_ptr<Nodes> nodes = std::make_shared<Nodes>();
};

// The connection of one worker. Replies come in the order of the commands.
class Redis::Link final : public event::Destroyable, net::TransportUser, event::TickHook, event::TimerUser {
 public:
  struct Waiter {
    std::optional<Result<RedisReply>> outcome;
    Signal signal;
  };

  Link(event::Loop& loop, std::shared_ptr<const Settings> settings)
      : loop_(loop), settings_(std::move(settings)), late_(loop.timers(), *this) {}
  ~Link() override {
    if (transport_) transport_->close();
  }

  std::shared_ptr<Waiter> send(const std::vector<std::string>& words) {
    if (waiting_.size() >= kMaxWaiting) return nullptr;
    auto waiter = std::make_shared<Waiter>();
    append_command(out_, words);
    waiting_.push_back(waiter);
    if (transport_) {
      if (!late_.armed()) late_.arm(loop_.now() + settings_->options.read_timeout);
      loop_.at_tick_end(*this);  // the commands of one tick leave in one write
    } else if (!connecting_) {
      connecting_ = true;
      scope_.spawn(connect());
    }
    return waiter;
  }

 private:
  Task<void> connect() {
    Result<std::unique_ptr<net::Transport>> dialled = fail(502, Fault::Upstream, "redis: no endpoint");
    for (const Endpoint& endpoint : settings_->endpoints) {
      Result<std::vector<net::Ip>> ips = co_await resolve(loop_, endpoint.host);
      if (!ips) {
        dialled = std::unexpected(std::move(ips.error()));
        continue;
      }
      dialled = co_await dial_first(loop_, std::move(*ips), endpoint.port, settings_->options.dial_timeout);
      if (dialled && settings_->options.tls) {
        const std::shared_ptr<const FetchTls> tls = settings_->options.tls();
        dialled = co_await secure(loop_, std::move(*dialled), fetch_transport(tls.get()).tls, endpoint.host);
      }
      if (dialled) break;
    }
    connecting_ = false;
    if (!dialled) {
      dialled.error().detail.insert(0, "redis: ");
      give_up(std::move(dialled.error()));
      co_return;
    }
    adopt(std::move(*dialled));
  }

  void adopt(std::unique_ptr<net::Transport> transport) {
    transport_ = std::move(transport);
    transport_->set_user(this);
    reader_.reset(redisReaderCreate());
    answer_bytes_ = 0;
    const RedisOptions& options = settings_->options;
    std::string greeting;
    greetings_ = 0;
    if (!options.password.empty()) {
      append_command(greeting, options.username.empty()
                                   ? std::vector<std::string>{"AUTH", options.password}
                                   : std::vector<std::string>{"AUTH", options.username, options.password});
      ++greetings_;
    }
    if (options.db != 0) {
      append_command(greeting, {"SELECT", std::to_string(options.db)});
      ++greetings_;
    }
    out_.insert(0, greeting);
    late_.arm(loop_.now() + options.read_timeout);
    on_tick_end();
  }

  // Everything that waits fails; the next command connects anew.
  void give_up(Error why) {
    late_.cancel();
    out_.clear();
    if (transport_) {
      transport_->close();
      loop_.destroy_later(std::make_unique<Dead>(std::move(transport_)));
    }
    std::deque<std::shared_ptr<Waiter>> waiting = std::exchange(waiting_, {});
    for (const auto& waiter : waiting) finish(*waiter, std::unexpected(why));
  }
  void lost(std::string why) { give_up({502, Fault::Upstream, false, "redis: " + std::move(why)}); }

  static void finish(Waiter& waiter, Result<RedisReply> outcome) {
    waiter.outcome = std::move(outcome);
    waiter.signal.notify();
  }

  void on_tick_end() override {
    while (transport_ && !out_.empty()) {
      const iovec part{out_.data(), out_.size()};
      const net::IoResult wrote = transport_->write({&part, 1});
      out_.erase(0, wrote.bytes);
      if (wrote.status == net::IoStatus::Failed) return lost(std::strerror(wrote.error));
      if (wrote.status == net::IoStatus::WouldBlock || wrote.bytes == 0) return;
    }
  }
  void on_writable() override { on_tick_end(); }

  void on_readable() override {
    char room[16 * 1024];
    while (transport_) {
      const net::IoResult got = transport_->read(room);
      if (got.bytes > 0) {
        if (redisReaderFeed(reader_.get(), room, got.bytes) != REDIS_OK) return lost("unreadable answer");
        answer_bytes_ += got.bytes;
        if (!read_replies()) return;
        if (answer_bytes_ > kMaxAnswer) return lost("an answer of more than 1 MiB");
      }
      if (got.status == net::IoStatus::End) return lost("connection closed");
      if (got.status == net::IoStatus::Failed) return lost(std::strerror(got.error));
      if (got.status == net::IoStatus::WouldBlock || got.drained) return;
    }
  }

  // False when the connection is gone.
  bool read_replies() {
    while (transport_) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return lost("unreadable answer"), false;
      if (!raw) return true;
      answer_bytes_ = 0;
      const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
      RedisReply converted = convert(*reply);
      if (greetings_ > 0) {
        --greetings_;
        if (converted.kind == RedisReply::Kind::Error) return lost(converted.text), false;
        continue;
      }
      if (waiting_.empty()) return lost("an answer that nobody asked for"), false;
      const std::shared_ptr<Waiter> waiter = std::move(waiting_.front());
      waiting_.pop_front();
      if (waiting_.empty())
        late_.cancel();
      else
        late_.arm(loop_.now() + settings_->options.read_timeout);
      finish(*waiter, std::move(converted));
    }
    return false;
  }

  void on_peer_finished() override { lost("connection closed"); }
  void on_broken(int error) override { lost(std::strerror(error)); }
  void on_timer(event::Timer&) override {
    give_up({504, Fault::Upstream, false, "redis: no answer in time"});
  }

  event::Loop& loop_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::string out_;  // commands that the socket did not take yet
  std::deque<std::shared_ptr<Waiter>> waiting_;
  event::Timer late_;
  std::size_t answer_bytes_ = 0;  // since the last whole answer
  int greetings_ = 0;             // answers to AUTH and SELECT that are still to come
  bool connecting_ = false;
  Scope scope_;
};

Configured<std::shared_ptr<const Redis>> Redis::make(RedisOptions options) {
  auto settings = std::make_shared<Settings>();
  if (options.endpoints.empty()) return misconfigured("endpoints", "needs at least one host:port");
  for (const std::string& text : options.endpoints) {
    const auto address =
        net::parse_listen_address(text.find(':') == std::string::npos ? text + ":6379" : text);
    if (!address || address->host.empty())
      return misconfigured("endpoints", "`" + text + "` is not of the form host:port");
    settings->endpoints.push_back({address->host, address->port});
  }
  settings->options = std::move(options);
  return std::shared_ptr<const Redis>(new Redis(std::move(settings)));
}

Redis::~Redis() = default;

// Links belong to their thread, so they live there. One whose settings nobody else holds is dropped when the
// thread next asks for any.
struct Redis::Links {
  struct Kept {
    std::weak_ptr<const Settings> alive;
    std::unique_ptr<Link> link;
  };
  // The settings are held by their Redis and, weakly, by this map: a link gets a copy of its own.
  std::map<const Settings*, Kept> all;

  static Links& of_this_thread() {
    thread_local Links links;
    return links;
  }
};

void Redis::forget_links() { Links::of_this_thread().all.clear(); }

Redis::Link& Redis::link_of(event::Loop& loop, const std::shared_ptr<const Settings>& settings) {
  std::map<const Settings*, Links::Kept>& links = Links::of_this_thread().all;
  Links::Kept& kept = links[settings.get()];
  if (!kept.link || kept.alive.lock() != settings) {
    // Whoever asks may be called by a link.
    if (kept.link) loop.destroy_later(std::move(kept.link));
    kept = {settings, std::make_unique<Link>(loop, std::make_shared<const Settings>(*settings))};
    for (auto at = links.begin(); at != links.end();) {
      if (!at->second.alive.expired()) {
        ++at;
        continue;
      }
      loop.destroy_later(std::move(at->second.link));
      at = links.erase(at);
    }
  }
  return *kept.link;
}

Task<Result<RedisReply>> Redis::command(event::Loop& loop, std::vector<std::string> words) const {
  std::shared_ptr<const Settings> at = settings_;
  bool asking = false;
  for (int redirections = 0;; ++redirections) {
    Link& link = link_of(loop, at);
    // Its answer comes first, and nobody waits for it.
    const bool asked = !asking || link.send({"ASKING"});
    const std::shared_ptr<Link::Waiter> waiter = asked ? link.send(words) : nullptr;
    if (!waiter) co_return fail(503, Fault::Proxy, "redis: too many commands wait");
    if (!waiter->outcome) co_await waiter->signal.wait();
    Result<RedisReply> outcome = std::move(*waiter->outcome);
    const auto elsewhere = outcome ? redirection(*outcome) : std::nullopt;
    if (!elsewhere || redirections == kMaxRedirections) co_return outcome;
    at = settings_->node(elsewhere->to);
    if (!at) co_return outcome;
    asking = elsewhere->asking;
  }
}

}  // namespace fairlead::upstream
