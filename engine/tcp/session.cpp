#include "engine/tcp/session.h"

#include "engine/tcp/postgres.h"
#include "engine/upstream/abandon.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <utility>

namespace fairlead::tcp {
namespace {

constexpr auto kPostgresAnswer = std::chrono::seconds(10);

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Session::Session(event::Loop& loop, upstream::Pools& pools, std::unique_ptr<net::Transport> client,
                 Options options, SessionOwner& owner)
    : loop_(loop),
      context_{loop, pools, client->peer(), client.get()},
      client_(std::move(client)),
      options_(std::move(options)),
      owner_(owner),
      begun_(loop.now()) {
  client_->set_user(this);
}

Session::~Session() = default;

void Session::start() {
  connecting_ = connect();
  connecting_.start(this);
}

Task<Result<Upstream>> Session::connect() {
  Result<Upstream> found = co_await options_.route->service->connect(context_);
  if (!found || !options_.postgres) co_return found;
  Result<> agreed = co_await ask_for_tls(loop_, *found->transport, kPostgresAnswer);
  if (agreed) co_return found;
  upstream::abandon(loop_, std::move(found->transport));
  co_return std::unexpected(std::move(agreed.error()));
}

void Session::task_done() {
  // Its frame goes when this call is over: an open connection needs none.
  loop_.at_tick_end(*this);
  Result<Upstream> found = connecting_.take();
  if (!found) {
    owner_.not_served(context_.address, options_.route->name, found.error().detail);
    return finish();
  }
  upstream_ = std::move(*found);
  PipeUser& user = *this;
  pipe_.emplace(loop_, *client_, *upstream_.transport, upstream_.termination_delay, user);
  pipe_->start();
}

void Session::on_broken(int error) {
  spdlog::debug("entry point {}: TCP router {}: {} left before a server was found: {}", options_.entry_point,
                options_.route->name, context_.address.text(), std::strerror(error));
  close();
}

void Session::pipe_ended() {
  if (spdlog::should_log(spdlog::level::debug))
    spdlog::debug("entry point {}: TCP router {}: {} to {}: {} bytes up, {} down, {:.3f} s, ended by the {}",
                  options_.entry_point, options_.route->name, context_.address.text(), upstream_.server,
                  pipe_->from_client(), pipe_->from_server(), seconds(loop_.now() - begun_),
                  pipe_->ended_by().empty() ? "router" : pipe_->ended_by());
  finish();
}

void Session::close() {
  if (over_) return;
  if (pipe_) pipe_->stop();
  connecting_.cancel();
  finish();
}

void Session::finish() {
  if (std::exchange(over_, true)) return;
  client_->close();
  upstream_.known.reset();
  if (upstream_.transport) upstream_.transport->close();
  options_.holds.clear();
  owner_.session_ended(*this);
}

}  // namespace fairlead::tcp
