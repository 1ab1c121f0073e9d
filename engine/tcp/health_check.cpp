#include "engine/tcp/health_check.h"

#include "engine/base/strings.h"
#include "engine/event/limited.h"
#include "engine/net/proxy_protocol.h"
#include "engine/tcp/conversation.h"
#include "engine/upstream/abandon.h"
#include "engine/upstream/own_want.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace fairlead::tcp {
namespace {

constexpr std::size_t kShown = 64;  // bytes of a wrong answer in the log

// Closes a connection when its check is over, or given up.
class Connection {
 public:
  Connection(event::Loop& loop, std::unique_ptr<net::Transport> transport)
      : loop_(loop), transport_(std::move(transport)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { upstream::abandon(loop_, std::move(transport_)); }
  net::Transport& operator*() { return *transport_; }

 private:
  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
};

}  // namespace

upstream::ServerAddress check_address(const upstream::ServerAddress& server,
                                      const model::TcpHealthCheck& check) {
  upstream::ServerAddress to = server;
  if (check.port <= 0) return to;
  to.port = static_cast<std::uint16_t>(check.port);
  to.url = to.host.find(':') == std::string::npos ? fmt::format("{}:{}", to.host, to.port)
                                                  : fmt::format("[{}]:{}", to.host, to.port);
  to.host_port = to.url;
  return to;
}

// The checks of one server.
class HealthChecks::Probe {
 public:
  Probe(HealthChecks& owner, std::shared_ptr<const HealthPlan> plan, const upstream::Server& server)
      : owner_(owner),
        plan_(std::move(plan)),
        server_(server),
        address_(check_address(server.address, plan_->check)),
        transport_(*plan_->transport),
        schedule_(owner.loop_, owner.running_, *server_.state, plan_->check.interval,
                  plan_->check.unhealthy_interval.value_or(plan_->check.interval)) {
    // The limit is one for all of the check.
    transport_.dial_timeout = plan_->check.timeout;
    task_ = run();
    task_.start(nullptr);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

 private:
  Task<void> run() {
    for (;;) {
      co_await schedule_.next();
      const upstream::RunningChecks::One running(owner_.running_);
      const Result<> outcome = co_await check();
      // What we lack ourselves, descriptors for one, says nothing about the server.
      if (outcome || !upstream::is_own_want(outcome.error())) tell(outcome);
    }
  }

  Task<Result<>> check() {
    const model::TcpHealthCheck& wanted = plan_->check;
    const TimePoint due = owner_.loop_.now() + wanted.timeout;
    const int version = transport_.proxy_protocol;
    auto connected =
        co_await event::by(owner_.loop_, due,
                           tcp::connect(owner_.loop_, address_, server_.tls, transport_,
                                        version ? net::own_proxy_header(version) : std::string()));
    if (!connected)
      co_return fail(504, Fault::Upstream, fmt::format("connect {}: not done in time", address_.url));
    auto& made = *connected;
    if (!made) co_return std::unexpected(std::move(made.error()));
    Connection connection(owner_.loop_, std::move(*made));
    if (wanted.send.empty() && wanted.expect.empty()) co_return Result<>{};
    Conversation conversation(owner_.loop_, *connection, due);
    if (!wanted.send.empty()) {
      Result<> sent = co_await conversation.send(wanted.send);
      if (!sent) co_return sent;
    }
    if (wanted.expect.empty()) co_return Result<>{};
    Result<std::string> answer = co_await conversation.receive(wanted.expect.size());
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    if (*answer == wanted.expect) co_return Result<>{};
    co_return fail(
        502, Fault::Upstream,
        fmt::format("answered {} instead of {}", quoted(*answer, kShown), quoted(wanted.expect, kShown)));
  }

  void tell(const Result<>& outcome) {
    upstream::Health& health = server_.state->health;
    if (outcome) {
      if (!health.recover()) return;
      spdlog::info("TCP service {}: server {} is up again", plan_->service, server_.address.url);
    } else {
      const std::string& problem = outcome.error().detail;
      if (!health.fail({problem, owner_.loop_.wall(), owner_.loop_.now()})) return;
      spdlog::warn("TCP service {}: server {} is down: health check: {}", plan_->service, server_.address.url,
                   problem);
    }
    owner_.changed_(*plan_);
  }

  HealthChecks& owner_;
  std::shared_ptr<const HealthPlan> plan_;
  upstream::Server server_;
  upstream::ServerAddress address_;
  TransportOptions transport_;
  upstream::CheckSchedule schedule_;
  Task<void> task_;
};

HealthChecks::HealthChecks(event::Loop& loop, Changed changed) : loop_(loop), changed_(std::move(changed)) {}
HealthChecks::~HealthChecks() = default;

void HealthChecks::adopt(const HealthPlans& plans) {
  std::map<std::string, std::unique_ptr<Probe>> probes;
  for (const auto& plan : plans)
    for (const upstream::Server& server : plan->set->servers) {
      const std::string key =
          fmt::format("{} {}{} {:x} {}", plan->service, server.tls ? "tls " : "", server.address.url,
                      plan->key, static_cast<const void*>(server.state.get()));
      auto& probe = probes[key];
      const auto known = probes_.find(key);
      if (!probe && known != probes_.end()) probe = std::move(known->second);
      if (!probe) probe = std::make_unique<Probe>(*this, plan, server);
    }
  probes_ = std::move(probes);
}

}  // namespace fairlead::tcp
