#include "engine/model/service_ports.h"

#include "engine/base/strings.h"
#include "engine/schema/suggest.h"

#include <algorithm>

namespace fairlead::model {
namespace {

struct ServicePort {
  std::string_view name;
  std::uint16_t port;
};

// What Go knows without the file, and what else of the file an edge router may listen on. Of two names that
// are as near to a misspelt one the first is suggested: so the usual two lead.
constexpr ServicePort kServicePorts[] = {
    {"http", 80},          {"https", 443},        {"amqp", 5672},       {"amqps", 5671},
    {"domain", 53},        {"domain-s", 853},     {"ftp", 21},          {"ftps", 990},
    {"git", 9418},         {"gopher", 70},        {"http-alt", 8080},   {"imap", 143},
    {"imap2", 143},        {"imap3", 220},        {"imaps", 993},       {"ircd", 6667},
    {"ircs-u", 6697},      {"ldap", 389},         {"ldaps", 636},       {"mqtt", 1883},
    {"ms-sql-s", 1433},    {"mysql", 3306},       {"nntp", 119},        {"nntps", 563},
    {"ntp", 123},          {"openvpn", 1194},     {"pop3", 110},        {"pop3s", 995},
    {"postgresql", 5432},  {"redis", 6379},       {"rtsp", 554},        {"secure-mqtt", 8883},
    {"sieve", 4190},       {"sip", 5060},         {"sip-tls", 5061},    {"sips", 5061},
    {"smtp", 25},          {"smtps", 465},        {"ssh", 22},          {"submission", 587},
    {"submissions", 465},  {"syslog", 514},       {"syslog-tls", 6514}, {"telnet", 23},
    {"telnets", 992},      {"tftp", 69},          {"turn", 3478},       {"turns", 5349},
    {"xmpp-client", 5222}, {"xmpp-server", 5269},
};

}  // namespace

std::optional<std::uint16_t> service_port(std::string_view name) {
  const auto found = std::ranges::find_if(
      kServicePorts, [name](const ServicePort& known) { return iequals(known.name, name); });
  if (found == std::end(kServicePorts)) return std::nullopt;
  return found->port;
}

std::string nearest_service_name(std::string_view written) {
  std::string names;
  for (const ServicePort& known : kServicePorts) names.append(names.empty() ? "" : "|").append(known.name);
  return schema::nearest_choice(names, written);
}

}  // namespace fairlead::model
