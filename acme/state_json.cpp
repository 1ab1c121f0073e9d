#include "acme/state_json.h"

#include "acme/encoding.h"
#include "acme/json_text.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <istream>
#include <map>
#include <stdexcept>

namespace fairlead::acme {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 64;

// Go's decoder takes any case of a member's name.
const OrderedJson* find(const OrderedJson& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& [name, value] : object.items())
    if (iequals(name, key)) return &value;
  return nullptr;
}

std::string text(const OrderedJson& object, std::string_view key) {
  const OrderedJson* found = find(object, key);
  return found && found->is_string() ? found->get<std::string>() : std::string();
}

WallTime time(const OrderedJson& object, std::string_view key) {
  return read_time(text(object, key)).value_or(WallTime{});
}

std::optional<Account> account_of(const OrderedJson& json) {
  const auto key = from_base64(text(json, "PrivateKey"));
  if (!json.is_object() || !key || key->empty()) return std::nullopt;
  Account out;
  out.email = text(json, "Email");
  out.key_der = *key;
  if (const OrderedJson* registration = find(json, "Registration");
      registration && registration->is_object()) {
    out.url = text(*registration, "uri");
    if (const OrderedJson* body = find(*registration, "body"); body && body->is_object())
      out.body = dump_in_order(*body);
  }
  return out;
}

std::optional<StoredCertificate> certificate_of(const OrderedJson& json) {
  const OrderedJson* domain = find(json, "domain");
  const auto chain = from_base64(text(json, "certificate"));
  const auto key = from_base64(text(json, "key"));
  // Whether the key is the certificate's is found out by who uses it.
  if (!domain || !chain || !key || chain->find("-----BEGIN ") == std::string::npos ||
      key->find("PRIVATE KEY-----") == std::string::npos)
    return std::nullopt;
  StoredCertificate out{
      .main = lower(text(*domain, "main")), .sans = {}, .text = tls::CertificateText::of(*chain, *key)};
  if (const OrderedJson* sans = find(*domain, "sans"); sans && sans->is_array())
    for (const OrderedJson& name : *sans)
      if (name.is_string()) out.sans.push_back(lower(name.get<std::string>()));
  if (std::string store = text(json, "Store"); !store.empty()) out.store = std::move(store);
  return out;
}

void read_own(const OrderedJson& json, ResolverState& out) {
  if (const OrderedJson* names = find(json, "Names"); names && names->is_object())
    for (const auto& [name, value] : names->items()) {
      NameState& state = out.names[name];
      if (const OrderedJson* count = find(value, "Failures"); count && count->is_number_integer())
        state.failures = static_cast<int>(std::clamp<std::int64_t>(count->get<std::int64_t>(), 0, 1000));
      state.since = time(value, "Since");
      state.next_try = time(value, "NextTry");
      state.type = text(value, "Type");
      state.detail = text(value, "Detail");
    }
  if (const OrderedJson* renewals = find(json, "Renewals"); renewals && renewals->is_object())
    for (const auto& [fingerprint, value] : renewals->items())
      out.renewals[fingerprint] = {.renew_at = time(value, "RenewAt"),
                                   .start = time(value, "Start"),
                                   .end = time(value, "End"),
                                   .explanation = text(value, "Explanation"),
                                   .next_poll = time(value, "NextPoll")};
  if (const OrderedJson* limits = find(json, "Limits"); limits && limits->is_object()) {
    out.limits.until = time(*limits, "Until");
    out.limits.type = text(*limits, "Type");
    out.limits.detail = text(*limits, "Detail");
    if (const OrderedJson* orders = find(*limits, "Orders"); orders && orders->is_array())
      for (const OrderedJson& order : *orders)
        if (order.is_string())
          if (const auto when = read_time(order.get<std::string>())) out.limits.orders.push_back(*when);
  }
  if (const OrderedJson* tokens = find(json, "Tokens"); tokens && tokens->is_object())
    for (const auto& [token, value] : tokens->items())
      out.tokens[token] = {.answer = text(value, "Answer"), .since = time(value, "Since")};
  out.authority = text(json, "Authority");
  out.setup = text(json, "Setup");
  if (out.account) out.account->directory = text(json, "Directory");
}

// Where a parser stopped: its own words quote the text, which holds keys.
std::string place_of(const OrderedJson::parse_error& problem) {
  const std::string_view words = problem.what();
  constexpr std::string_view kAt = " at line ";
  const auto from = words.find(kAt);
  const auto to = words.find(':', from);
  if (from == words.npos || to == words.npos) return fmt::format("byte {}", problem.byte);
  return std::string(words.substr(from + 4, to - from - 4));
}

// Takes certificates out of the tree while the text is read: that of 50,000 would weigh several times the
// text.
class Certificates {
 public:
  // As a parser's callback: false drops the value.
  bool operator()(int depth, OrderedJson::parse_event_t event, const OrderedJson& value) {
    using Event = OrderedJson::parse_event_t;
    if (depth > static_cast<int>(kMaxDepth)) throw std::runtime_error("nested too deeply");
    if (event == Event::key && depth == 1) {
      resolver_ = value.get<std::string>();
      in_list_ = false;
    }
    if (event == Event::key && depth == 2)
      in_list_ = iequals(value.get_ref<const std::string&>(), "Certificates");
    if (event == Event::object_start && depth == 2) in_list_ = false;
    if (event != Event::object_end || depth != 3 || !in_list_) return true;
    auto certificate = certificate_of(value);
    if (certificate) found_[resolver_].push_back(std::move(*certificate));
    return !certificate;
  }
  std::vector<StoredCertificate> of(const std::string& resolver) { return std::move(found_[resolver]); }

 private:
  std::string resolver_;
  bool in_list_ = false;  // the array of certificates, not an object of that name
  std::map<std::string, std::vector<StoredCertificate>> found_;
};

ResolverState resolver_of(const OrderedJson& json, std::vector<StoredCertificate> certificates) {
  ResolverState out;
  out.certificates = std::move(certificates);
  for (const auto& [key, value] : json.items()) {
    if (iequals(key, "Account")) {
      out.account = account_of(value);
    } else if (iequals(key, "Certificates")) {
      if (!value.is_array()) continue;
      for (const OrderedJson& item : value) out.unreadable.push_back(dump_in_order(item));
    } else if (key != "Fairlead") {
      out.others[key] = dump_in_order(value);
    }
  }
  if (const OrderedJson* own = find(json, "Fairlead")) read_own(*own, out);
  return out;
}

// Traefik's name of the kind of key: "2048", "P256".
std::string key_type(const std::string& der) {
  const auto key = Key::from_der(der);
  if (!key) return {};
  if ((*key)->algorithm() == "ES256") return "P256";
  if ((*key)->algorithm() == "ES384") return "P384";
  return std::to_string(EVP_PKEY_get_bits((*key)->get()));
}

OrderedJson print_account(const Account& account) {
  OrderedJson registration = nullptr;
  if (!account.url.empty()) {
    OrderedJson body = OrderedJson::parse(account.body, nullptr, false);
    registration = {{"body", body.is_object() ? std::move(body) : OrderedJson::object()},
                    {"uri", account.url}};
  }
  return {{"Email", account.email},
          {"Registration", std::move(registration)},
          {"PrivateKey", base64(account.key_der)},
          {"KeyType", key_type(account.key_der)}};
}

OrderedJson print_certificate(const StoredCertificate& certificate) {
  OrderedJson domain{{"main", certificate.main}};
  if (!certificate.sans.empty()) domain["sans"] = certificate.sans;
  return {{"domain", std::move(domain)},
          {"certificate", base64(certificate.text->chain())},
          {"key", base64(certificate.text->key())},
          {"Store", certificate.store}};
}

OrderedJson print_own(const ResolverState& state) {
  OrderedJson out = OrderedJson::object();
  if (state.account && !state.account->directory.empty()) out["Directory"] = state.account->directory;
  for (const auto& [name, one] : state.names)
    out["Names"][name] = {{"Failures", one.failures},
                          {"Since", time_text(one.since)},
                          {"NextTry", time_text(one.next_try)},
                          {"Type", one.type},
                          {"Detail", one.detail}};
  for (const auto& [fingerprint, one] : state.renewals)
    out["Renewals"][fingerprint] = {{"RenewAt", time_text(one.renew_at)},
                                    {"Start", time_text(one.start)},
                                    {"End", time_text(one.end)},
                                    {"Explanation", one.explanation},
                                    {"NextPoll", time_text(one.next_poll)}};
  const LimitState& limits = state.limits;
  if (limits.until > WallTime{} || !limits.orders.empty()) {
    out["Limits"] = {{"Until", time_text(limits.until)}, {"Type", limits.type}, {"Detail", limits.detail}};
    OrderedJson& orders = out["Limits"]["Orders"] = OrderedJson::array();
    for (const WallTime when : limits.orders) orders.push_back(time_text(when));
  }
  if (!state.authority.empty()) out["Authority"] = state.authority;
  if (!state.setup.empty()) out["Setup"] = state.setup;
  for (const auto& [token, one] : state.tokens)
    out["Tokens"][token] = {{"Answer", one.answer}, {"Since", time_text(one.since)}};
  return out;
}

template <class Input>
Configured<State> read(Input&& input) {
  std::string why;
  OrderedJson json;
  Certificates certificates;
  try {
    json = OrderedJson::parse(std::forward<Input>(input),
                              [&](int depth, OrderedJson::parse_event_t event, OrderedJson& value) {
                                return certificates(depth, event, value);
                              });
  } catch (const OrderedJson::parse_error& problem) {
    why = "it breaks at " + place_of(problem);
  } catch (const OrderedJson::exception&) {
    why = "a number is too large";
  } catch (const std::exception& problem) {
    why = problem.what();
  }
  if (!why.empty()) return misconfigured({}, fmt::format("is no JSON: {}", why));
  if (!json.is_object()) return misconfigured({}, "is no JSON object");
  if (const auto list = json.find("Certificates"); list != json.end() && list->is_array())
    return misconfigured({}, "is a file of Traefik v1, whose certificates stand under no resolver");
  State out;
  for (const auto& [name, resolver] : json.items()) {
    if (!resolver.is_object() && !resolver.is_null())
      return misconfigured({}, fmt::format("{} is no JSON object", fairlead::quoted(name)));
    out[name] = resolver.is_object() ? resolver_of(resolver, certificates.of(name)) : ResolverState{};
  }
  return out;
}

}  // namespace

Configured<State> read_state(std::string_view bytes) {
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) return State{};
  return read(bytes);
}

Configured<State> read_state(std::istream& in) {
  in >> std::ws;
  if (in.peek() == std::istream::traits_type::eof()) return State{};
  return read(in);
}

void print_state(const State& state, const std::function<void(std::string_view)>& sink) {
  std::string_view between = "{";
  for (const auto& [name, resolver] : state) {
    sink(between);
    between = ",";
    sink("\n  " + dump_in_order(name) + ": {\n    \"Account\": ");
    sink(dump_in_order(resolver.account ? print_account(*resolver.account) : OrderedJson(nullptr)));
    sink(",\n    \"Certificates\": ");
    std::string_view before = "[";
    const auto certificate = [&](const std::string& text) {
      sink(before);
      sink("\n      ");
      sink(text);
      before = ",";
    };
    for (const StoredCertificate& one : resolver.certificates)
      certificate(dump_in_order(print_certificate(one)));
    for (const std::string& raw : resolver.unreadable) certificate(raw);
    sink(before == "[" ? "null" : "\n    ]");
    for (const auto& [key, raw] : resolver.others) sink(",\n    " + dump_in_order(key) + ": " + raw);
    if (const OrderedJson own = print_own(resolver); !own.empty())
      sink(",\n    \"Fairlead\": " + own.dump(2, ' ', false, OrderedJson::error_handler_t::replace));
    sink("\n  }");
  }
  sink(state.empty() ? "{}\n" : "\n}\n");
}

std::string print_state(const State& state) {
  std::string out;
  print_state(state, [&out](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace fairlead::acme
