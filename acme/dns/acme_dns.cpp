#include "acme/dns/acme_dns.h"

#include "acme/dns/api.h"
#include "acme/dns/message.h"
#include "engine/base/fd.h"
#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace fairlead::acme::dns {
namespace {

struct Account {
  std::string full_domain, sub_domain, username, password, server;
};

// Older files have the names as Go writes them without tags.
std::string field(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object()) return {};
  for (const auto& [key, value] : object.items())
    if (iequals(key, name) && value.is_string()) return value.get<std::string>();
  return {};
}

Account read_account(const nlohmann::json& json) {
  return {field(json, "fulldomain"), field(json, "subdomain"), field(json, "username"),
          field(json, "password"), field(json, "server_url")};
}

// The accounts, as a file that holds secrets.
class Accounts {
 public:
  explicit Accounts(std::string path) : path_(std::move(path)) {}

  Result<std::optional<Account>> find(const std::string& domain) const {
    const auto all = load();
    if (!all) return std::unexpected(all.error());
    const auto found = all->find(domain);
    if (found == all->end()) return std::nullopt;
    return read_account(*found);
  }

  Result<> put(const std::string& domain, const Account& account) const {
    auto all = load();
    if (!all) return std::unexpected(all.error());
    (*all)[domain] = {{"fulldomain", account.full_domain},
                      {"subdomain", account.sub_domain},
                      {"username", account.username},
                      {"password", account.password},
                      {"server_url", account.server}};
    const std::string text = all->dump(2), fresh = path_ + ".new";
    const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0)
      return fail(500, Fault::Proxy,
                  fmt::format("ACME_DNS_STORAGE_PATH {}: {}", path_, std::strerror(errno)));
    return {};
  }

 private:
  Result<nlohmann::json> load() const {
    std::ifstream in(path_, std::ios::binary);
    if (!in && ::access(path_.c_str(), F_OK) == 0)
      return fail(500, Fault::Proxy, fmt::format("ACME_DNS_STORAGE_PATH {} cannot be read", path_));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (trim(text).empty()) return nlohmann::json::object();
    nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
    if (!all.is_object())
      return fail(500, Fault::Proxy,
                  fmt::format("ACME_DNS_STORAGE_PATH {} is not JSON as lego writes it", path_));
    return all;
  }

  const std::string path_;
};

class AcmeDns final : public Provider {
 public:
  AcmeDns(Api api, std::string storage, std::vector<std::string> allowed, bool follows_aliases)
      : api_(std::move(api)),
        accounts_(std::move(storage)),
        allowed_(std::move(allowed)),
        follows_aliases_(follows_aliases) {}

  Result<> present(const Record& record, std::stop_token stop) override {
    Account account;
    {
      const std::lock_guard lock(mutex_);
      auto found = accounts_.find(record.domain);
      if (!found) return std::unexpected(found.error());
      if (!*found) return register_domain(record.domain, stop);
      account = std::move(**found);
    }
    if (follows_aliases_ && canonical(account.full_domain) != record.name)
      return fail(502, Fault::Upstream, wanted_alias(record.domain, account.full_domain));
    const auto done =
        Api({.base = api_.base(),
             .authorize = fixed_fields({"X-Api-User: " + account.username, "X-Api-Key: " + account.password}),
             .credentials = "ACME_DNS_STORAGE_PATH"})
            .send("POST", "/update", {{"subdomain", account.sub_domain}, {"txt", record.value}}, stop);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  // The server replaces old values by itself and has no call to remove one.
  Result<> clean_up(const Record&, std::stop_token) override { return {}; }

 private:
  static std::string wanted_alias(const std::string& domain, const std::string& target) {
    return fmt::format("make the DNS record  _acme-challenge.{}. CNAME {}.  and the next attempt succeeds",
                       domain, target);
  }

  Result<> register_domain(const std::string& domain, const std::stop_token& stop) const {
    const auto made = allowed_.empty() ? api_.call("POST", "/register", {}, stop)
                                       : api_.send("POST", "/register", {{"allowfrom", allowed_}}, stop);
    if (!made) return std::unexpected(made.error());
    Account account = read_account(made->json);
    account.server = api_.base();
    if (account.full_domain.empty() || account.username.empty())
      return fail(502, Fault::Upstream, fmt::format("{}/register gives no account", api_.base()));
    if (const auto kept = accounts_.put(domain, account); !kept) return std::unexpected(kept.error());
    return fail(
        502, Fault::Upstream,
        fmt::format("a new account was made for {}: {}", domain, wanted_alias(domain, account.full_domain)));
  }

  const Api api_;
  const Accounts accounts_;
  const std::vector<std::string> allowed_;
  const bool follows_aliases_;
  std::mutex mutex_;  // of the file
};

}  // namespace

Configured<MadeProvider> make_acme_dns(Settings settings, bool follows_aliases) {
  settings.need({"ACME_DNS_API_BASE"});
  const std::string storage = settings.need({"ACME_DNS_STORAGE_PATH"});
  std::vector<std::string> allowed;
  for (const std::string_view network : split(settings.text({"ACME_DNS_ALLOWLIST"}), ','))
    if (!trim(network).empty()) allowed.emplace_back(trim(network));
  Api::Options api{.base = settings.url("ACME_DNS_API_BASE", ""),
                   .authorize = {},
                   .credentials = {},
                   .timeout = settings.http_timeout()};
  const Timing timing = settings.timing();
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{
      std::make_unique<AcmeDns>(Api(std::move(api)), storage, std::move(allowed), follows_aliases), timing};
}

}  // namespace fairlead::acme::dns
