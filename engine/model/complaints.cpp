#include "engine/model/complaints.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace fairlead::model {
namespace {

class Collector {
 public:
  explicit Collector(std::vector<Complaint>& out) : out_(out) {}

  template <class T>
  void all(std::string_view kind, const std::map<std::string, Element<T>>& elements) {
    for (const auto& [name, element] : elements) one(kind, name, element);
  }
  // Certificates have no names of their own. A key may be the text itself, which nobody is to see.
  void all(std::string_view kind, const std::vector<Element<TlsCertificate>>& certificates) {
    for (const Element<TlsCertificate>& element : certificates) {
      const TlsCertificate& options = element.options;
      const std::string& file = options.cert_file.empty() ? options.key_file : options.cert_file;
      one(kind, file.find("-----BEGIN ") == std::string::npos ? std::string_view(file) : "PEM text", element);
    }
  }

 private:
  template <class T>
  void one(std::string_view kind, std::string_view name, const Element<T>& element) {
    for (const Reason& reason : element.reasons) out_.push_back({kind, name, &element.origin, &reason});
  }

  std::vector<Complaint>& out_;
};

}  // namespace

std::string Complaint::text() const {
  return fmt::format("{}{}{} ({}): {}{}{}", kind, name.empty() ? "" : " ", name, origin->text(), reason->text,
                     reason->hint.empty() ? "" : "; ", reason->hint);
}

bool Complaint::same_as(const Complaint& other) const {
  return kind == other.kind && name == other.name && *reason == *other.reason;
}

std::vector<Complaint> complaints(const Dynamic& dynamic) {
  std::vector<Complaint> out;
  Collector collect(out);
  // Taken apart by name, so that a kind that is added and forgotten here does not compile.
  const auto& [http, tcp, udp, tls, of_no_element] = dynamic;
  {
    const auto& [routers, services, middlewares, servers_transports, standings] = http;
    collect.all("router", routers);
    collect.all("service", services);
    collect.all("middleware", middlewares);
    collect.all("serversTransport", servers_transports);
  }
  {
    const auto& [routers, services, middlewares, servers_transports, standings] = tcp;
    collect.all("TCP router", routers);
    collect.all("TCP service", services);
    collect.all("TCP middleware", middlewares);
    collect.all("TCP serversTransport", servers_transports);
  }
  {
    const auto& [routers, services, standings] = udp;
    collect.all("UDP router", routers);
    collect.all("UDP service", services);
  }
  const auto& [certificates, options, stores] = tls;
  collect.all("TLS certificate", certificates);
  collect.all("TLS options", options);
  collect.all("TLS store", stores);
  return out;
}

std::vector<Complaint> new_complaints(const Dynamic& dynamic, const Dynamic& before) {
  std::vector<Complaint> now = complaints(dynamic);
  if (now.empty()) return now;
  std::multimap<std::pair<std::string_view, std::string_view>, Complaint> known;
  for (const Complaint& complaint : complaints(before))
    known.emplace(std::pair(complaint.kind, complaint.name), complaint);
  std::erase_if(now, [&](const Complaint& complaint) {
    const auto [begin, end] = known.equal_range({complaint.kind, complaint.name});
    return std::any_of(begin, end, [&](const auto& entry) { return entry.second.same_as(complaint); });
  });
  return now;
}

}  // namespace fairlead::model
