#include "acme/order.h"

#include "acme/chain.h"
#include "acme/csr.h"
#include "acme/dns/caa.h"
#include "acme/dns/resolver.h"
#include "acme/encoding.h"
#include "acme/json_text.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

namespace fairlead::acme {
namespace {

using Json = nlohmann::json;
using Failed = std::unexpected<OrderFailure>;

constexpr Duration kFirstPoll = std::chrono::milliseconds(100);
constexpr Duration kSlowestPoll = std::chrono::seconds(5);  // where the authority does not say
// A certificate that was made is worth some patience: another order counts against the authority's limits.
constexpr Duration kDownloadPatience = std::chrono::minutes(3);
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kSlowestRetry = std::chrono::seconds(30);
constexpr Duration kUsualCertificateTimeout = std::chrono::seconds(30);  // where none is set, as in Traefik

Failed failed(Trouble trouble) { return Failed({.names = {}, .trouble = std::move(trouble), .open = {}}); }

// An answer that makes no sense: of this order, the authority goes on for others.
Trouble nonsense(std::string what) {
  Trouble out;
  out.kind = Trouble::Kind::Refused;
  out.problem.detail = std::move(what);
  return out;
}

Failed failed(std::string what) { return failed(nonsense(std::move(what))); }

Failed failed(const std::string& name, std::string type, std::string what) {
  Problem problem;
  problem.type = std::move(type);
  problem.detail = std::move(what);
  return Failed({.names = {{name, std::move(problem)}}, .trouble = {}, .open = {}});
}

// How long to wait before asking again: as the authority says, else twice as long as before.
Duration pause(const HttpResponse& answer, Duration& own) {
  const auto asked = read_retry_after(answer.header("retry-after"), std::chrono::system_clock::now());
  const Duration chosen = asked ? std::max<Duration>(*asked, kFirstPoll) : own;
  own = std::min(own * 2, kSlowestPoll);
  return chosen;
}

// A wildcard's authorization names what stands below it.
std::string order_name(const AuthorizationState& state) {
  return state.wildcard && !state.name.starts_with("*.") ? "*." + state.name : state.name;
}

}  // namespace

// One authorization whose challenge was answered.
struct Order::Pending {
  std::string url;
  std::string name;  // as the order has it
  std::shared_ptr<Solver> solver;
  Authorization authorization;
  std::string key_authorization;
  std::string challenge_url;
};

std::expected<Issued, OrderFailure> Order::run(const OrderOptions& options) {
  say("ordering");
  auto created = begin(options);
  if (!created) return Failed(created.error());
  const std::string url = options.open ? options.open->url : std::string(created->header("location"));
  auto order = read_order(created->body);
  if (!order || url.empty())
    return failed(order ? "the authority names no URL for the order" : order.error().detail);
  if (order->status == "pending" || order->status == "invalid") {
    auto proven = validate(order->authorizations, options);
    if (!proven) return Failed(proven.error());
  }
  return finalize(std::move(*order), url, options);
}

std::expected<HttpResponse, OrderFailure> Order::begin(const OrderOptions& options) {
  if (!options.open) return create(options);
  auto known = client_.fetch(signer_, options.open->url, stop_);
  if (known) return std::move(*known);
  OrderFailure failure{.names = {}, .trouble = known.error(), .open = {}};
  if (known.error().is_of_authority()) failure.open = options.open;
  return Failed(std::move(failure));
}

// Names whose CAA records do not let this authority issue: an order for them can only fail, and counts
// against the authority's limits.
std::map<std::string, Problem> Order::forbidden(const OrderOptions& options,
                                                const Directory& directory) const {
  std::map<std::string, Problem> out;
  if (directory.caa_identities.empty()) return out;
  say("reading CAA records");
  const dns::Resolver resolver(options.resolvers, stop_);
  for (const std::string& name : options.names) {
    if (is_address(name)) continue;
    const auto allowed = dns::caa_allows(name, directory.caa_identities, resolver);
    if (allowed && !*allowed) break;  // DNS does not answer here: not worth a wait for each name
    if (allowed) continue;
    out[name].type = "caa";
    out[name].detail = allowed.error().detail;
  }
  return out;
}

std::expected<HttpResponse, OrderFailure> Order::create(const OrderOptions& options) {
  auto directory = client_.directory(stop_);
  if (!directory) return failed(directory.error());
  if (!options.profile.empty() && !directory->profiles.contains(options.profile)) {
    std::string known;
    for (const auto& [name, description] : directory->profiles) known += (known.empty() ? "" : ", ") + name;
    Trouble trouble;
    trouble.kind = Trouble::Kind::Refused;
    trouble.problem.type = "invalidProfile";
    trouble.problem.detail = fmt::format("the authority offers no profile \"{}\" (it offers: {})",
                                         options.profile, known.empty() ? "none" : known);
    return failed(std::move(trouble));
  }
  if (auto refused = forbidden(options, *directory); !refused.empty())
    return Failed({.names = std::move(refused), .trouble = {}, .open = {}});
  Json payload{{"identifiers", Json::array()}};
  for (const std::string& name : options.names)
    payload["identifiers"].push_back({{"type", is_address(name) ? "ip" : "dns"}, {"value", name}});
  if (!options.profile.empty()) payload["profile"] = options.profile;
  if (!options.replaces.empty() && !directory->renewal_info.empty()) payload["replaces"] = options.replaces;
  auto answer = client_.post(signer_, directory->new_order, dump(payload), stop_);
  // The certificate before was replaced already, by another instance perhaps, or is not known any more: that
  // must not keep the new one from being ordered (RFC 9773 §5).
  if (!answer && payload.contains("replaces") && answer.error().kind == Trouble::Kind::Refused &&
      !answer.error().is_of_authority()) {
    payload.erase("replaces");
    answer = client_.post(signer_, directory->new_order, dump(payload), stop_);
  }
  if (answer) return std::move(*answer);
  return Failed(of_order(answer.error(), options.names));
}

std::expected<void, OrderFailure> Order::validate(const std::vector<std::string>& authorizations,
                                                  const OrderOptions& options) {
  std::vector<Pending> pending;
  OrderFailure failure;
  // Answers go away whatever happens.
  struct CleanUp {
    std::vector<Pending>& all;
    ~CleanUp() {
      for (const Pending& one : all)
        if (const auto gone = one.solver->clean_up(one.authorization, one.key_authorization); !gone)
          spdlog::warn("the answer to the {} challenge of {} could not be taken away again: {}",
                       acme::name(one.solver->type()), one.name, gone.error().detail);
    }
  } clean_up{pending};

  for (const std::string& url : authorizations) {
    auto answer = client_.fetch(signer_, url, stop_);
    if (!answer) return failed(answer.error());
    auto state = read_authorization(answer->body);
    if (!state) return failed(state.error().detail);
    if (state->status == "valid") continue;
    const std::string name = order_name(*state);
    if (state->status != "pending") {
      Problem problem;
      for (const Challenge& challenge : state->challenges)
        if (!challenge.error.empty()) problem = challenge.error;
      if (problem.empty()) problem.detail = fmt::format("the authorization is {}", state->status);
      failure.names[name] = std::move(problem);
      continue;
    }
    Pending one{.url = url,
                .name = name,
                .solver = nullptr,
                .authorization = {.name = state->name.starts_with("*.") ? state->name.substr(2) : state->name,
                                  .wildcard = name.starts_with("*."),
                                  .is_address = state->is_address,
                                  .token = {}},
                .key_authorization = {},
                .challenge_url = {}};
    for (const auto& solver : solvers_) {
      const auto offered = std::ranges::find(state->challenges, acme::name(solver->type()), &Challenge::type);
      if (one.solver || offered == state->challenges.end() || offered->token.empty()) continue;
      // RFC 8555 §8.1: base64url. The token becomes part of a path and of a DNS record.
      if (!from_base64url(offered->token)) return failed("the authority's token is no base64url text");
      one.solver = solver;
      one.authorization.token = offered->token;
      one.key_authorization = fmt::format("{}.{}", offered->token, signer_.key->thumbprint());
      one.challenge_url = offered->url;
    }
    if (!one.solver) {
      failure.names[name].detail = one.authorization.wildcard
                                       ? "a wildcard can only be proven by DNS-01: set dnsChallenge"
                                       : "the authority offers none of the challenges that are configured";
      continue;
    }
    pending.push_back(std::move(one));
  }

  std::vector<const Pending*> visible;
  for (const Pending& one : pending) {
    say(fmt::format("answering the {} challenge of {}", acme::name(one.solver->type()), one.name));
    const auto presented = one.solver->present(one.authorization, one.key_authorization, stop_);
    if (presented)
      visible.push_back(&one);
    else
      failure.names[one.name].detail = presented.error().detail;
  }
  std::vector<const Pending*> asked;
  for (const Pending* one : visible) {
    const auto seen = one->solver->wait_until_visible(one->authorization, one->key_authorization, stop_);
    if (stop_.stop_requested()) return failed(trouble_of({503, Fault::Proxy, false, "stopped"}).error());
    if (!seen) {
      failure.names[one->name].detail = seen.error().detail;
      continue;
    }
    auto told = client_.post(signer_, one->challenge_url, "{}", stop_);
    if (!told) {
      if (told.error().is_of_authority()) return failed(told.error());
      failure.names[one->name] = told.error().problem;
      continue;
    }
    asked.push_back(one);
  }
  const TimePoint until = std::chrono::steady_clock::now() + options.validation_timeout;
  for (const Pending* one : asked) {
    say(fmt::format("waiting for the authority to validate {}", one->name));
    auto result = outcome(*one, until);
    if (!result) return failed(result.error());
    if (!result->empty()) failure.names[one->name] = std::move(*result);
  }
  if (!failure.names.empty()) return Failed(std::move(failure));
  return {};
}

// An empty problem: valid.
Answered<Problem> Order::outcome(const Pending& pending, TimePoint until) {
  Duration own = kFirstPoll;
  for (;;) {
    auto answer = client_.fetch(signer_, pending.url, stop_);
    if (!answer) return std::unexpected(answer.error());
    auto state = read_authorization(answer->body);
    if (!state) return std::unexpected(nonsense(state.error().detail));
    if (state->status == "valid") return Problem{};
    Problem problem;
    if (state->status != "pending" && state->status != "processing") {
      for (Challenge& challenge : state->challenges)
        if (!challenge.error.empty()) problem = std::move(challenge.error);
      if (problem.empty()) problem.detail = fmt::format("the authorization is {}", state->status);
      return problem;
    }
    const Duration wait = pause(*answer, own);
    if (std::chrono::steady_clock::now() + wait >= until) {
      problem.detail = "the authority did not come to a result in time";
      return problem;
    }
    if (!sleep_for(wait, stop_)) return trouble_of({503, Fault::Proxy, false, "stopped"});
  }
}

std::expected<Issued, OrderFailure> Order::finalize(OrderState order, const std::string& url,
                                                    const OrderOptions& options) {
  // A key of its own for each certificate, renewals included.
  const SharedKey key = options.open ? options.open->key : Key::generate(options.key_type);
  if (!key) return failed(fmt::format("no key of type {} could be made", options.key_type));
  const std::string request = certificate_request(*key, {.names = options.names,
                                                         .email_addresses = options.email_addresses,
                                                         .common_name = options.common_name});
  if (request.empty())
    return failed(options.names.front(), "badCSR", "these names do not fit into a request");
  const TimePoint until =
      std::chrono::steady_clock::now() +
      (options.certificate_timeout > Duration{} ? options.certificate_timeout : kUsualCertificateTimeout);
  // What the authority cannot do now, or said badly, may come right; what it refuses does not.
  const auto stays_open = [&](const Trouble& trouble) {
    OrderFailure failure{.names = {}, .trouble = trouble, .open = {}};
    if (trouble.is_of_authority() || trouble.problem.status == 0)
      failure.open = OpenOrder{.url = url, .account = signer_.account, .key = key};
    return Failed(std::move(failure));
  };
  bool sent = false;
  Duration own = kFirstPoll;
  say("waiting for the certificate");
  while (order.status != "valid") {
    std::optional<HttpResponse> answer;
    bool refused = false;
    if (order.status == "ready" && !sent) {
      auto done = client_.post(signer_, order.finalize, dump({{"csr", base64url(request)}}), stop_);
      sent = true;
      if (!done) {
        if (done.error().is_of_authority()) return stays_open(done.error());
        // RFC 8555 §7.4: not ready after all; the order is looked at again.
        if (!done.error().is("orderNotReady")) return Failed(of_order(done.error(), options.names));
        sent = false;
        refused = true;
      } else {
        answer = std::move(*done);
      }
    }
    if (!answer) {
      auto seen = fetch_patiently(url);
      if (!seen) return stays_open(seen.error());
      answer = std::move(*seen);
    }
    auto state = read_order(answer->body);
    if (!state) return stays_open(nonsense(state.error().detail));
    order = std::move(*state);
    if (order.status == "invalid") {
      Trouble trouble;
      trouble.kind = Trouble::Kind::Refused;
      trouble.problem = order.error;
      if (trouble.problem.empty()) trouble.problem.detail = "the authority declared the order invalid";
      return Failed(by_names(trouble, options.names));
    }
    if (order.status == "valid" || (order.status == "ready" && !sent && !refused)) continue;
    const Duration wait = pause(*answer, own);
    if (std::chrono::steady_clock::now() + wait >= until)
      return stays_open(
          nonsense(fmt::format("the certificate was not ready in time (the order is {})", order.status)));
    if (!sleep_for(wait, stop_)) return stays_open(trouble_of({503, Fault::Proxy, false, "stopped"}).error());
  }
  if (order.certificate.empty())
    return stays_open(nonsense("the authority names no URL for the certificate"));
  auto chain = download(order.certificate, options);
  if (!chain) return stays_open(chain.error());
  Issued out{.chain = std::move(*chain), .key = key->pem()};
  const auto read = read_chain(out.chain);
  if (!read)
    return stays_open(
        nonsense(fmt::format("the certificate that was sent cannot be used: {}", read.error().what)));
  if (!belongs(out.chain, out.key)) return failed("the certificate that was sent is for another key");
  for (const std::string& name : options.names)
    if (std::ranges::find(read->names, name) == read->names.end() && !covers(read->names, name))
      return failed(fmt::format("the certificate that was sent does not cover {}", name));
  return out;
}

// Asks again for a while when the authority cannot answer now.
Answered<HttpResponse> Order::fetch_patiently(const std::string& url, std::string_view accept) {
  const TimePoint until = std::chrono::steady_clock::now() + kDownloadPatience;
  for (Duration own = kFirstRetry;; own = std::min(own * 2, kSlowestRetry)) {
    auto answer = client_.fetch(signer_, url, stop_, accept);
    if (answer || answer.error().kind == Trouble::Kind::Stopped || !answer.error().is_of_authority())
      return answer;
    const Duration wait = std::max(own, answer.error().problem.retry_after.value_or(Duration{}));
    if (std::chrono::steady_clock::now() + wait >= until) return answer;
    if (on_setback)
      on_setback(fmt::format("the certificate cannot be fetched yet ({}), asked for again in {} s",
                             answer.error().text(), std::chrono::ceil<std::chrono::seconds>(wait).count()));
    if (!sleep_for(wait, stop_)) return trouble_of({503, Fault::Proxy, false, "stopped"});
  }
}

Answered<std::string> Order::download(const std::string& url, const OrderOptions& options) {
  constexpr std::string_view kType = "application/pem-certificate-chain";
  const auto chain_of = [&](const HttpResponse& answer) -> Answered<std::string> {
    if (!istarts_with(answer.header("content-type"), kType))
      return std::unexpected(nonsense(fmt::format("the certificate came as {} instead of {}",
                                                  fairlead::quoted(answer.header("content-type")), kType)));
    return answer.body;
  };
  auto answer = fetch_patiently(url, kType);
  if (!answer) return std::unexpected(answer.error());
  auto first = chain_of(*answer);
  if (!first || options.preferred_chain.empty()) return first;
  std::vector<std::string> offered;
  const auto wanted = [&](const std::string& pem) {
    const auto read = read_chain(pem);
    offered.push_back(read ? fairlead::quoted(read->top_issuer) : std::string("one that cannot be read"));
    return read && read->top_issuer == options.preferred_chain;
  };
  if (wanted(*first)) return first;
  for (const std::string& other : links(*answer, "alternate")) {
    auto alternate = client_.fetch(signer_, other, stop_, kType);
    if (!alternate && alternate.error().kind == Trouble::Kind::Stopped)
      return std::unexpected(alternate.error());
    auto chain = alternate ? chain_of(*alternate) : std::unexpected(alternate.error());
    if (chain && wanted(*chain)) return chain;
    // A certificate is in hand: another order for the sake of its chain would count against the limits.
    if (!chain) offered.push_back(chain.error().text());
  }
  spdlog::warn("preferredChain: no chain of {} ends with the issuer {}; offered: {}; the first is used",
               options.names.front(), fairlead::quoted(options.preferred_chain), join(offered, ", "));
  return first;  // as Traefik
}

}  // namespace fairlead::acme
