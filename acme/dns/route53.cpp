#include "acme/dns/route53.h"

#include "acme/dns/api.h"
#include "acme/encoding.h"
#include "engine/base/strings.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <mutex>

namespace fairlead::acme::dns {
namespace {

// The service is global; its signatures name this region.
constexpr const char* kRegion = "us-east-1";
constexpr const char* kVersion = "/2013-04-01";

std::string now_text() { return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string from_xml(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#34;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}};
  for (const auto& [entity, plain] : kEntities)
    for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; at += plain.size())
      text.replace(at, entity.size(), plain);
  return text;
}

std::string first(const std::vector<std::string>& texts) {
  return texts.empty() ? std::string() : texts.front();
}

// "AccessDenied: User … is not authorized": errors come as <Error> or <InvalidChangeBatch>.
std::string words_of(const ApiAnswer& answer) {
  const std::string code = first(xml_elements(answer.body, "Code"));
  std::string message = from_xml(first(xml_elements(answer.body, "Message")));
  return code.empty() || message.empty() ? message : fmt::format("{}: {}", code, message);
}

// Five calls a second are allowed to an account, and one change at a time to a zone; both are refused with
// 400.
bool says_later(const ApiAnswer& answer) {
  const std::string code = first(xml_elements(answer.body, "Code"));
  return answer.status == 400 &&
         (code == "Throttling" || code == "ThrottlingException" || code == "PriorRequestNotComplete");
}

// A profile of ~/.aws/credentials, an INI file.
AwsKeys read_profile(const std::string& path, const std::string& profile) {
  AwsKeys keys;
  std::ifstream in(path);
  bool ours = false;
  for (std::string line; std::getline(in, line);) {
    const std::string_view text = trim(line);
    if (text.starts_with('[')) {
      ours = text.ends_with(']') && trim(text.substr(1, text.size() - 2)) == profile;
    } else if (const std::size_t equals = text.find('='); ours && equals != std::string_view::npos) {
      const std::string_view name = trim(text.substr(0, equals));
      const std::string value(trim(text.substr(equals + 1)));
      if (name == "aws_access_key_id") keys.id = value;
      if (name == "aws_secret_access_key") keys.secret = value;
      if (name == "aws_session_token") keys.session = value;
    }
  }
  return keys;
}

// The TXT values of one name, as one record set.
struct RecordSet {
  std::uint32_t ttl = 0;
  std::vector<std::string> values;  // with their quotation marks
};

class Route53 final : public ZoneProvider {
 public:
  Route53(ZoneFinder find, Api api, std::string zone_id, std::uint32_t ttl, Timing timing)
      : ZoneProvider(std::move(find)),
        api_(std::move(api)),
        zone_id_(std::move(zone_id)),
        ttl_(ttl),
        timing_(timing) {}

 protected:
  Result<> add(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, record, stop, true);
  }
  Result<> remove(const Place& place, const Record& record, std::stop_token stop) override {
    return change(place, record, stop, false);
  }

 private:
  Result<> change(const Place& place, const Record& record, const std::stop_token& stop, bool adds) {
    const auto zone = zone_id(place.zone, stop);
    if (!zone) return std::unexpected(zone.error());
    std::string change_id;
    {
      static std::mutex one_at_a_time;  // a record set is read and written whole
      const std::lock_guard lock(one_at_a_time);
      auto set = current(*zone, record.name, stop);
      if (!set) return std::unexpected(set.error());
      const std::string value = '"' + record.value + '"';
      const auto found = std::ranges::find(set->values, value);
      if (adds == (found != set->values.end())) return {};
      const char* action = "UPSERT";
      if (adds) {
        set->values.push_back(value);
        set->ttl = ttl_;
      } else if (set->values.size() == 1) {
        action = "DELETE";
      } else {
        set->values.erase(found);
      }
      auto begun = send(*zone, action, record.name, *set, stop);
      if (!begun) return std::unexpected(begun.error());
      change_id = std::move(*begun);
    }
    return adds ? wait_until_in_sync(change_id, stop) : Result<>();
  }

  Result<std::string> zone_id(const std::string& zone, const std::stop_token& stop) const {
    if (!zone_id_.empty()) return zone_id_;
    const auto found = api_.get(
        fmt::format("{}/hostedzonesbyname?dnsname={}&maxitems=100", kVersion, url_encoded(zone + ".")), stop);
    if (!found) return std::unexpected(found.error());
    for (const std::string& each : xml_elements(found->body, "HostedZone")) {
      if (first(xml_elements(each, "Name")) != zone + "." ||
          first(xml_elements(each, "PrivateZone")) == "true")
        continue;
      const std::string id = first(xml_elements(each, "Id"));
      return id.substr(id.rfind('/') + 1);
    }
    return fail(502, Fault::Upstream,
                "the account has no public hosted zone of that name (AWS_HOSTED_ZONE_ID names another)");
  }

  Result<RecordSet> current(const std::string& zone, const std::string& name,
                            const std::stop_token& stop) const {
    const auto found = api_.get(fmt::format("{}/hostedzone/{}/rrset?maxitems=1&name={}&type=TXT", kVersion,
                                            url_encoded(zone), url_encoded(name + ".")),
                                stop);
    if (!found) return std::unexpected(found.error());
    RecordSet set;
    // The list begins at that name: what comes first may be another.
    for (const std::string& each : xml_elements(found->body, "ResourceRecordSet")) {
      if (lower(first(xml_elements(each, "Name"))) != name + "." ||
          first(xml_elements(each, "Type")) != "TXT")
        continue;
      set.ttl = static_cast<std::uint32_t>(parse_digits(first(xml_elements(each, "TTL"))).value_or(ttl_));
      for (const std::string& value : xml_elements(each, "Value")) set.values.push_back(from_xml(value));
    }
    return set;
  }

  Result<std::string> send(const std::string& zone, const char* action, const std::string& name,
                           const RecordSet& set, const std::stop_token& stop) const {
    std::string body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<ChangeResourceRecordSetsRequest "
        "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch>"
        "<Comment>ACME "
        "challenge</Comment><Changes><Change><Action>{}</Action><ResourceRecordSet><Name>{}.</Name>"
        "<Type>TXT</Type><TTL>{}</TTL><ResourceRecords>",
        action, xml_text(name), set.ttl);
    for (const std::string& value : set.values)
      body += fmt::format("<ResourceRecord><Value>{}</Value></ResourceRecord>", xml_text(value));
    body +=
        "</ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></"
        "ChangeResourceRecordSetsRequest>";
    const auto done =
        api_.call("POST", fmt::format("{}/hostedzone/{}/rrset/", kVersion, url_encoded(zone)), body, stop);
    if (!done) return std::unexpected(done.error());
    const std::string id = first(xml_elements(done->body, "Id"));
    return id.substr(id.rfind('/') + 1);
  }

  Result<> wait_until_in_sync(const std::string& change, const std::stop_token& stop) const {
    const TimePoint deadline = SystemClock::instance().now() + timing_.timeout;
    for (;;) {
      const auto state = api_.get(fmt::format("{}/change/{}", kVersion, url_encoded(change)), stop);
      if (!state) return std::unexpected(state.error());
      if (first(xml_elements(state->body, "Status")) == "INSYNC") return {};
      if (SystemClock::instance().now() >= deadline)
        return fail(504, Fault::Upstream, fmt::format("change {} is not INSYNC in time", change));
      if (!sleep_for(timing_.interval, stop)) return fail(503, Fault::Proxy, "stopped");
    }
  }

  const Api api_;
  const std::string zone_id_;
  const std::uint32_t ttl_;
  const Timing timing_;
};

}  // namespace

std::vector<std::string> xml_elements(std::string_view xml, std::string_view tag) {
  std::vector<std::string> out;
  const std::string open = fmt::format("<{}", tag), close = fmt::format("</{}>", tag);
  for (std::size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const std::size_t end_of_tag = xml.find('>', at);
    if (end_of_tag == std::string_view::npos) break;
    if (xml[at] != '>' && xml[at] != ' ') continue;  // a longer name
    if (xml[end_of_tag - 1] == '/') continue;
    const std::size_t end = xml.find(close, end_of_tag);
    if (end == std::string_view::npos) break;
    out.emplace_back(xml.substr(end_of_tag + 1, end - end_of_tag - 1));
    at = end + close.size();
  }
  return out;
}

std::vector<std::string> aws_signature(const AwsKeys& keys, const std::string& region,
                                       const std::string& service, const std::string& method,
                                       const std::string& url, const std::string& body,
                                       const std::string& time) {
  const std::size_t host_at = url.find("://") + 3;
  const std::size_t path_at = std::min(url.find('/', host_at), url.size());
  const std::size_t query_at = std::min(url.find('?', path_at), url.size());
  const std::string host = url.substr(host_at, path_at - host_at);
  std::string path = url.substr(path_at, query_at - path_at);
  if (path.empty()) path = "/";
  const std::string query = query_at < url.size() ? url.substr(query_at + 1) : "";

  std::string fields = fmt::format("host:{}\nx-amz-date:{}\n", host, time);
  std::string names = "host;x-amz-date";
  if (!keys.session.empty()) {
    fields += fmt::format("x-amz-security-token:{}\n", keys.session);
    names += ";x-amz-security-token";
  }
  const std::string request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", method, path, query, fields, names, hex(sha256(body)));
  const std::string day = time.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, hex(sha256(request)));
  const std::string key = hmac_sha256(
      hmac_sha256(hmac_sha256(hmac_sha256("AWS4" + keys.secret, day), region), service), "aws4_request");
  std::vector<std::string> out = {
      "X-Amz-Date: " + time,
      fmt::format("Authorization: AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", keys.id,
                  scope, names, hex(hmac_sha256(key, to_sign)))};
  if (!keys.session.empty()) out.push_back("X-Amz-Security-Token: " + keys.session);
  return out;
}

Configured<MadeProvider> make_route53(Settings settings, ZoneFinder find, const Environment& environment) {
  AwsKeys keys{.id = settings.text({"AWS_ACCESS_KEY_ID"}),
               .secret = settings.text({"AWS_SECRET_ACCESS_KEY"}),
               .session = settings.text({"AWS_SESSION_TOKEN"})};
  std::string credentials = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
  if (keys.id.empty() != keys.secret.empty())
    settings.need({keys.id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"});
  if (keys.id.empty() && keys.secret.empty()) {
    // Not by Settings: the name of this variable ends with _FILE already.
    std::string path = environment("AWS_SHARED_CREDENTIALS_FILE").value_or("");
    if (path.empty()) path = environment("HOME").value_or("/root") + "/.aws/credentials";
    const std::string profile = environment("AWS_PROFILE").value_or("default");
    keys = read_profile(path, profile);
    credentials = fmt::format("profile {} of {}", profile, path);
    if (keys.id.empty() || keys.secret.empty())
      settings.complain(
          fmt::format("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and {} has no profile "
                      "{} with keys (roles of machines and AWS_ASSUME_ROLE_ARN are not used)",
                      path, profile));
  }
  std::string base = settings.url("AWS_ENDPOINT_URL_ROUTE_53", "");
  if (base.empty()) base = settings.url("AWS_ENDPOINT_URL", "https://route53.amazonaws.com");
  Api::Options api{.base = std::move(base),
                   .authorize =
                       [keys](const std::string& method, const std::string& url, const std::string& body) {
                         return aws_signature(keys, kRegion, "route53", method, url, body, now_text());
                       },
                   .credentials = std::move(credentials),
                   .timeout = settings.http_timeout(),
                   .content_type = "application/xml",
                   .words = words_of,
                   .says_later = says_later};
  const std::string zone = settings.text({"AWS_HOSTED_ZONE_ID"});
  const std::uint32_t ttl = settings.ttl(10);
  const Timing timing = settings.timing(std::chrono::seconds(120), std::chrono::seconds(4));
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<Route53>(std::move(find), Api(std::move(api)),
                                                zone.substr(zone.rfind('/') + 1), ttl, timing),
                      timing};
}

}  // namespace fairlead::acme::dns
