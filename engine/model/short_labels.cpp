#include "engine/model/short_labels.h"

#include "engine/model/references.h"
#include "engine/model/static.h"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::model {
namespace {

using schema::Node;

constexpr std::string_view kNoService = "noop@internal";

// The short labels of one container, taken out of the tree.
struct Short {
  std::optional<Node> host;
  std::optional<Node> port;
  std::optional<Node> path;
  std::optional<Node> auth;

  bool any() const { return host || port || path || auth; }
};

std::optional<Node> take(Node& root, std::string_view key) {
  const Node* found = root.find_ignoring_case(key);
  if (!found) return std::nullopt;
  Node out = *found;
  std::erase_if(root.entries(),
                [&](const Node::Entry& e) { return schema::equal_ignoring_case(e.key, key); });
  return out;
}

class Expander {
 public:
  Expander(std::string name, std::string router, std::string service, const ShortLabelDefaults& defaults,
           schema::Problems& problems)
      : name_(std::move(name)),
        router_(std::move(router)),
        service_(std::move(service)),
        defaults_(defaults),
        problems_(problems) {}

  Node expand(const Short& given, bool has_routers);

 private:
  // A value at a path of the new tree, placed where the short label stood.
  void set(std::initializer_list<std::string_view> path, std::string value, const Node& from) {
    Node* node = &out_;
    for (const std::string_view key : path) {
      node->become_map();
      node = &node->child(key);
    }
    *node = Node::scalar(std::move(value));
    node->set_place(from.place());
  }
  void complain(const Node& node, std::string_view what) {
    schema::Problem& problem = problems_.emplace_back();
    problem.kind = schema::Problem::Kind::BadValue;
    problem.segments = {"http", "routers", router_};
    problem.path = node.label();
    problem.origin = node.origin();
    problem.what = what;
    is_broken_ = true;
  }
  std::string rule(const Short& given);
  std::string hosts(const Node& node);

  const std::string name_;
  const std::string router_;
  const std::string service_;
  const ShortLabelDefaults& defaults_;
  schema::Problems& problems_;
  Node out_ = Node::map();
  bool is_broken_ = false;
};

std::string Expander::hosts(const Node& node) {
  std::string out;
  std::size_t count = 0;
  for (const std::string& host : texts(node)) {
    if (host.find_first_of("`\"'()/:|& \t") != std::string::npos) {
      complain(node, fmt::format("\"{}\" is no host name; write it without scheme, port and path", host));
      continue;
    }
    out += fmt::format("{}Host(`{}`)", out.empty() ? "" : " || ", host);
    ++count;
  }
  if (count == 0 && !is_broken_) complain(node, "names no host");
  return count > 1 ? fmt::format("({})", out) : out;
}

std::string Expander::rule(const Short& given) {
  std::string out = given.host ? hosts(*given.host) : std::string();
  if (!given.path) return out;
  const std::string& path = given.path->text();
  if (!path.starts_with('/') || path.find('`') != std::string::npos) {
    complain(*given.path, fmt::format("\"{}\" is no path; it begins with a slash", path));
  } else if (!given.host) {
    complain(*given.path, "needs a host beside it");
  } else if (!out.empty()) {
    out += fmt::format(" && PathPrefix(`{}`)", path);
  }
  return out;
}

Node Expander::expand(const Short& given, bool has_routers) {
  const std::string plain = name_ + "-http";
  const std::string guard = name_ + "-auth";
  const Node& first = given.host   ? *given.host
                      : given.path ? *given.path
                      : given.auth ? *given.auth
                                   : *given.port;
  const std::string matches = rule(given);
  const bool redirects = given.host && !defaults_.cert_resolver.empty() && !matches.empty();

  if (!matches.empty()) set({"http", "routers", router_, "rule"}, matches, first);
  if (redirects) {
    const std::string to_https = name_ + "-to-https";
    set({"http", "routers", router_, "tls", "certResolver"}, defaults_.cert_resolver, first);
    set({"http", "routers", plain, "rule"}, matches, first);
    set({"http", "routers", plain, "middlewares"}, to_https, first);
    set({"http", "routers", plain, "service"}, std::string(kNoService), first);
    set({"http", "middlewares", to_https, "redirectScheme", "scheme"}, "https", first);
    set({"http", "middlewares", to_https, "redirectScheme", "permanent"}, "true", first);
    set({"http", "middlewares", to_https, "redirectScheme", "keepMethod"}, "true", first);
    if (!defaults_.https_port.empty())
      set({"http", "middlewares", to_https, "redirectScheme", "port"}, defaults_.https_port, first);
  }
  if (given.port)
    set({"http", "services", service_, "loadBalancer", "server", "port"}, given.port->text(), *given.port);
  if (given.auth) {
    if (texts(*given.auth).empty()) complain(*given.auth, "names no user; expected user:hash");
    if (!has_routers) set({"http", "routers", router_, "middlewares"}, guard, *given.auth);
    set({"http", "middlewares", guard, "basicAuth", "users"}, given.auth->text(), *given.auth);
  }
  return std::move(out_);
}

// Whether a router only redirects to HTTPS, as expand() made it. One of that name that a long label sends to
// a service is a door like any other.
bool only_redirects(const Node::Entry& router, const std::string& name) {
  const Node* service = router.value.find_ignoring_case("service");
  return router.key == name + "-http" && service != nullptr && service->text() == kNoService;
}

// The guard of `auth` stands in front of every router of the container, whichever label made it: a site with
// a password must not have an open door.
void guard_all(Node& root, const std::string& name) {
  const std::string guard = name + "-auth";
  Node* http = root.find_ignoring_case("http");
  Node* routers = http ? http->find_ignoring_case("routers") : nullptr;
  if (!routers) return;
  for (Node::Entry& router : routers->entries()) {
    if (only_redirects(router, name)) continue;
    Node& listed = router.value.child("middlewares");
    std::string all = guard;
    for (const std::string& middleware : texts(listed))
      if (middleware != guard) all += "," + middleware;
    Node value = Node::scalar(std::move(all));
    value.set_place(listed.place() ? listed.place() : router.value.place());
    listed = std::move(value);
  }
}

// The name of the only element of a kind, when there is exactly one.
std::optional<std::string> only_one(const Node& root, std::string_view kind) {
  const Node* http = root.find_ignoring_case("http");
  const Node* elements = http ? http->find_ignoring_case(kind) : nullptr;
  if (!elements || elements->entries().size() != 1) return std::nullopt;
  return elements->entries().front().key;
}

// The only router, when long labels give it everything but a rule: the short host is the site that they mean,
// and must not stand beside it without its middlewares.
std::optional<std::string> only_router_without_rule(const Node& root) {
  auto name = only_one(root, "routers");
  if (!name) return std::nullopt;
  const Node* router =
      root.find_ignoring_case("http")->find_ignoring_case("routers")->find_ignoring_case(*name);
  return router != nullptr && router->find_ignoring_case("rule") == nullptr ? name : std::nullopt;
}

bool has_any(const Node& root, std::string_view kind) {
  const Node* http = root.find_ignoring_case("http");
  const Node* elements = http ? http->find_ignoring_case(kind) : nullptr;
  return elements && !elements->empty();
}

}  // namespace

ShortLabelDefaults short_label_defaults(const Static& install) {
  ShortLabelDefaults out;
  const auto& resolvers = install.certificates_resolvers;
  if (resolvers.size() == 1)
    out.cert_resolver = resolvers.begin()->first;
  else if (resolvers.contains("default"))
    out.cert_resolver = "default";
  // The first default entry point whose routers speak TLS; without one, the standard port.
  for (const std::string& name : install.default_entry_points(false)) {
    const EntryPoint& entry_point = install.entry_points.at(name);
    if (!entry_point.http.tls) continue;
    if (const auto address = parse_listen_address(entry_point.address); address && address->port != 443)
      out.https_port = std::to_string(address->port);
    break;
  }
  return out;
}

void expand_short_labels(Node& root, const std::string& name, const ShortLabelDefaults& defaults,
                         schema::Problems& problems) {
  if (!root.is_map()) return;
  Short given;
  given.host = take(root, "host");
  given.port = take(root, "port");
  given.path = take(root, "path");
  given.auth = take(root, "auth");
  if (!given.any()) return;
  Expander expander(name, only_router_without_rule(root).value_or(name),
                    only_one(root, "services").value_or(name), defaults, problems);
  root = schema::merge(expander.expand(given, has_any(root, "routers")), std::move(root));
  if (given.auth) guard_all(root, name);
}

}  // namespace fairlead::model
