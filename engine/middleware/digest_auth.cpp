#include "engine/middleware/digest_auth.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/middleware/credentials.h"
#include "engine/middleware/redirect_url.h"
#include "engine/middleware/slips.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;

std::string md5_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

// "name:realm:ha1"; the first two are the key, as one client's name may hold no colon.
Configured<AuthUser> parse_entry(std::string_view entry) {
  const auto parts = split(entry, ':');
  if (parts.size() != 3) return misconfigured("", "is not of the form name:realm:HA1");
  if (parts[2].size() != 32 || !std::ranges::all_of(parts[2], [](char c) { return hex_value(c) >= 0; }))
    return misconfigured("", "has no HA1 of 32 hexadecimal digits");
  return AuthUser{std::string(parts[0]) + ':' + std::string(parts[1]), lower(parts[2])};
}

// HA1 has the realm in it, so a user of another one never gets in.
void tell_users_of_other_realms(const DigestAuthOptions& options, schema::Problems& notices) {
  for (const std::string& entry : options.users)
    if (const auto parts = split(entry, ':'); parts[1] != options.realm)
      warn("users",
           fmt::format("({}) belongs to the realm {}, and {} is asked for; nobody can log in as this user",
                       parts[0], quoted(parts[1]), quoted(options.realm)),
           notices);
}

std::string_view value_of(const std::map<std::string, std::string>& given, const char* name) {
  const auto found = given.find(name);
  return found == given.end() ? std::string_view{} : std::string_view(found->second);
}

// The proof is for one target; as the client wrote it, or as it stands now. RFC 7616 §3.4 asks for the whole
// URI, most clients give its path and query.
bool is_for_target(const Exchange& x, std::string_view uri) {
  if (uri.empty()) return false;
  if (uri == x.request.target) return true;
  const std::string now = request_uri(x);
  if (uri == now) return true;
  const auto whole = http::split_target(uri);
  if (!whole || whole->form != http::TargetForm::Absolute || !iequals(whole->authority, x.request.authority))
    return false;
  const std::string_view rest = uri.substr(static_cast<std::size_t>(whole->path.data() - uri.data()));
  return rest == x.request.target || rest == now;
}

std::optional<std::uint64_t> count_of(std::string_view nc) {
  std::uint64_t count = 0;
  if (nc.size() != 8) return std::nullopt;
  const auto read = std::from_chars(nc.data(), nc.data() + nc.size(), count, 16);
  if (read.ec != std::errc{} || read.ptr != nc.data() + nc.size() || count == 0) return std::nullopt;
  return count;
}

}  // namespace

Configured<std::shared_ptr<const DigestAuth>> DigestAuth::make(Options options, Making& making) {
  auto made = std::make_shared<DigestAuth>();
  if (options.realm.empty()) options.realm = "traefik";
  auto users = AuthUsers::make(options.users, options.users_file, &parse_entry, making);
  if (!users) return std::unexpected(std::move(users.error()));
  made->users_ = std::move(*users);
  tell_users_of_other_realms(options, making.notices);
  made->nonces_ = making.carry_over.get<DigestNonces>(making.name, making.options_hash);
  made->opaque_ = md5_hex(making.name + options.realm);
  made->options_ = std::move(options);
  return made;
}

Response DigestAuth::ask(Exchange& x, std::string why, bool stale) const {
  return unauthorized(
      x,
      fmt::format(R"(Digest realm="{}", nonce="{}", opaque="{}", algorithm=MD5, qop="auth"{})",
                  escape_quoted(options_.realm), nonces_->make(x.loop.now()), opaque_,
                  stale ? ", stale=true" : ""),
      std::move(why));
}

bool DigestAuth::is_well_formed(const Exchange& x, const Parameters& given) const {
  const std::string_view algorithm = value_of(given, "algorithm");
  if (!algorithm.empty() && !iequals(algorithm, "MD5")) return false;
  if (value_of(given, "qop") != "auth" || value_of(given, "realm") != options_.realm) return false;
  if (value_of(given, "opaque") != opaque_ || value_of(given, "cnonce").empty()) return false;
  if (value_of(given, "username").empty() || value_of(given, "response").size() != 32) return false;
  if (value_of(given, "username").find(':') != std::string_view::npos) return false;
  return is_for_target(x, value_of(given, "uri"));
}

bool DigestAuth::proves(const Exchange& x, const Parameters& given) const {
  const auto table = users_->now();
  const std::string key = std::string(value_of(given, "username")) + ':' + options_.realm;
  const std::string* ha1 = table->find(key);
  const bool known = ha1 != nullptr;
  if (!known) ha1 = table->stand_in(key);
  if (!ha1) return false;
  const std::string ha2 = md5_hex(fmt::format("{}:{}", x.request.method, value_of(given, "uri")));
  const std::string expected = md5_hex(fmt::format("{}:{}:{}:{}:auth:{}", *ha1, value_of(given, "nonce"),
                                                   value_of(given, "nc"), value_of(given, "cnonce"), ha2));
  const std::string response = lower(value_of(given, "response"));
  const bool equal = CRYPTO_memcmp(expected.data(), response.data(), expected.size()) == 0;
  return equal && known;
}

std::optional<Response> DigestAuth::on_request(Exchange& x) const {
  const auto line = authorization(x.request.fields);
  const auto given = line ? parse_digest(*line) : std::nullopt;
  if (!given) return ask(x, why_unread(x, "digestAuth"));
  const std::string_view user = value_of(*given, "username");
  x.record.user = x.arena().copy(user);
  const auto count = count_of(value_of(*given, "nc"));
  if (!count || !is_well_formed(x, *given)) return ask(x, "digestAuth: not an answer to what was asked");

  using Verdict = DigestNonces::Verdict;
  const std::string_view nonce = value_of(*given, "nonce");
  const Verdict verdict = nonces_->check(nonce, x.loop.now());
  const bool proven = proves(x, *given);
  if (!proven) return ask(x, "digestAuth: unknown user or wrong password");
  if (verdict == Verdict::Unknown) return ask(x, "digestAuth: a nonce that was not given since the start");
  if (verdict == Verdict::Stale || nonces_->use(nonce, *count) != Verdict::Fresh)
    return ask(x, "digestAuth: an old nonce, or a count used before", true);
  pass_identity(x, x.record.user, options_.remove_header, options_.header_field);
  return std::nullopt;
}

}  // namespace fairlead::middleware
