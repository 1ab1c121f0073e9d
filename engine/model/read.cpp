#include "engine/model/read.h"

#include "engine/model/attach.h"
#include "engine/model/static.h"
#include "engine/schema/read.h"
#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::model {
namespace {

using schema::Node;
using schema::Problem;

// Types of middlewares that need no option: `compress=true` and `compress: {}` create them.
constexpr std::string_view kStandalone[] = {"compress", "contentType", "maintenance", "requestId"};

constexpr const char* kSections = "http|tcp|udp|tls";

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out.append(out.empty() ? "" : "|").append(name);
  return out;
}

// Reads one source. Problems are collected first and put on the elements at the end, so that all of them
// exist.
class Source {
 public:
  Source(const schema::Origin& origin, const MiddlewareTypes& types) : origin_(origin), types_(types) {}

  void read(const Node& root);
  Dynamic take(schema::Problems* loose);

 private:
  void http(const Node& node);
  void tcp(const Node& node);
  void udp(const Node& node);
  void tls(const Node& node);
  void certificates(const Node& node);
  void middlewares(const Node& node, const char* section, std::span<const std::string_view> types,
                   std::map<std::string, Element<Middleware>>& out);
  Element<Middleware> middleware(const Node& node, std::string_view section, const std::string& name,
                                 std::span<const std::string_view> types) const;
  void middleware_type(Element<Middleware>& element, const Node::Entry& entry) const;

  template <class T>
  void elements(const Node& node, const char* section, const char* kind,
                std::map<std::string, Element<T>>& out);

  bool is_map(const Node& node, std::vector<std::string> segments);
  void install_sections(const std::vector<std::string>& names);
  void unknown(const Node::Entry& entry, std::vector<std::string> segments, const char* choices);
  schema::Origin origin_of(const Node& node) const { return node.place() ? node.origin() : origin_; }

  const schema::Origin& origin_;
  const MiddlewareTypes& types_;
  Dynamic dynamic_;
  schema::Problems problems_;
};

std::string path_of(const Node& node, const std::vector<std::string>& segments) {
  return node.label().empty() ? fmt::format("{}", fmt::join(segments, ".")) : node.label();
}

bool Source::is_map(const Node& node, std::vector<std::string> segments) {
  if (node.is_null()) return false;
  if (node.is_map() && !node.has_value()) return true;
  Problem& problem = problems_.emplace_back();
  problem.kind = Problem::Kind::BadValue;
  problem.path = path_of(node, segments);
  problem.segments = std::move(segments);
  problem.origin = origin_of(node);
  problem.what = "expected a map of names";
  return node.is_map();
}

void Source::unknown(const Node::Entry& entry, std::vector<std::string> segments, const char* choices) {
  Problem& problem = problems_.emplace_back();
  problem.kind = Problem::Kind::UnknownKey;
  problem.severity = schema::Severity::Warning;
  problem.key = entry.key;
  segments.push_back(entry.key);
  problem.path = path_of(entry.value, segments);
  problem.segments = std::move(segments);
  problem.origin = origin_of(entry.value);
  if (entry.key.contains('.') && entry.value.format() != schema::Format::Label) {
    problem.what = fmt::format("a dot in a key does not nest: write {}", schema::nested(entry.key));
    return;
  }
  problem.what = fmt::format("there is no section `{}` here", entry.key);
  problem.suggestion = schema::nearest_choice(choices, entry.key);
}

template <class T>
void Source::elements(const Node& node, const char* section, const char* kind,
                      std::map<std::string, Element<T>>& out) {
  if (!is_map(node, {section, kind})) return;
  for (const Node::Entry& entry : node.entries()) {
    Element<T>& element = out.try_emplace(entry.key).first->second;
    element.origin = origin_of(entry.value);
    schema::read(entry.value, element.options, problems_, {section, kind, entry.key});
  }
}

void Source::middleware_type(Element<Middleware>& element, const Node::Entry& entry) const {
  Node options = entry.value;
  if (options.is_null()) options.become_map();
  if (options.has_value()) {
    const bool standalone = std::ranges::find(kStandalone, element.options.type) != std::end(kStandalone);
    const bool on = options.text().empty() || schema::equal_ignoring_case(options.text(), "true");
    if (on && (standalone || !options.empty())) {  // beside options it says nothing
      options.clear_value();
      options.become_map();
    } else if (standalone) {
      element.break_off(ReasonKind::BadOption, fmt::format("{}: is switched off by its value",
                                                           path_of(entry.value, {element.options.type})));
    } else {
      element.break_off(ReasonKind::BadOption,
                        fmt::format("{}: cannot have a value itself; set one of its options",
                                    path_of(entry.value, {element.options.type})));
    }
  }
  element.options.options = std::move(options);
}

Element<Middleware> Source::middleware(const Node& node, std::string_view section, const std::string& name,
                                       std::span<const std::string_view> types) const {
  Element<Middleware> element;
  element.origin = origin_of(node);
  const std::string path = fmt::format("{}.middlewares.{}", section, name);
  if (!node.is_map() || node.has_value() || node.empty()) {
    element.break_off(ReasonKind::BadOption, fmt::format("{}: has no middleware type below it", path));
    return element;
  }
  if (node.size() > 1) {
    std::string found;
    for (const Node::Entry& entry : node.entries())
      found += fmt::format("{}`{}`", found.empty() ? "" : ", ", entry.key);
    element.break_off(ReasonKind::BadOption, fmt::format("{}: has several middleware types: {}", path, found),
                      "give each type a name of its own and list both in `middlewares`");
    return element;
  }
  const Node::Entry& entry = node.entries().front();
  const auto known = std::ranges::find_if(
      types, [&](std::string_view type) { return schema::equal_ignoring_case(type, entry.key); });
  if (known == types.end()) {
    const std::string nearest = schema::nearest_choice(joined(types), entry.key);
    element.break_off(ReasonKind::BadOption,
                      fmt::format("{}: there is no middleware type `{}`", path, entry.key),
                      nearest.empty() ? "" : fmt::format("did you mean `{}`?", nearest));
    return element;
  }
  element.options.type = *known;
  middleware_type(element, entry);
  return element;
}

void Source::middlewares(const Node& node, const char* section, std::span<const std::string_view> types,
                         std::map<std::string, Element<Middleware>>& out) {
  if (!is_map(node, {section, "middlewares"})) return;
  for (const Node::Entry& entry : node.entries())
    out.insert_or_assign(entry.key, middleware(entry.value, section, entry.key, types));
}

void Source::http(const Node& node) {
  if (!is_map(node, {"http"})) return;
  for (const Node::Entry& entry : node.entries()) {
    const auto is = [&](std::string_view name) { return schema::equal_ignoring_case(entry.key, name); };
    if (is("routers"))
      elements(entry.value, "http", "routers", dynamic_.http.routers);
    else if (is("services"))
      elements(entry.value, "http", "services", dynamic_.http.services);
    else if (is("middlewares"))
      middlewares(entry.value, "http", types_.http, dynamic_.http.middlewares);
    else if (is("serversTransports"))
      elements(entry.value, "http", "serversTransports", dynamic_.http.servers_transports);
    else if (!is("models"))  // parsed by Traefik, and without effect there too
      unknown(entry, {"http"}, "routers|services|middlewares|serversTransports");
  }
}

void Source::tcp(const Node& node) {
  if (!is_map(node, {"tcp"})) return;
  for (const Node::Entry& entry : node.entries()) {
    const auto is = [&](std::string_view name) { return schema::equal_ignoring_case(entry.key, name); };
    if (is("routers"))
      elements(entry.value, "tcp", "routers", dynamic_.tcp.routers);
    else if (is("services"))
      elements(entry.value, "tcp", "services", dynamic_.tcp.services);
    else if (is("middlewares"))
      middlewares(entry.value, "tcp", types_.tcp, dynamic_.tcp.middlewares);
    else if (is("serversTransports"))
      elements(entry.value, "tcp", "serversTransports", dynamic_.tcp.servers_transports);
    else if (!is("models"))
      unknown(entry, {"tcp"}, "routers|services|middlewares|serversTransports");
  }
}

void Source::udp(const Node& node) {
  if (!is_map(node, {"udp"})) return;
  for (const Node::Entry& entry : node.entries()) {
    if (schema::equal_ignoring_case(entry.key, "routers"))
      elements(entry.value, "udp", "routers", dynamic_.udp.routers);
    else if (schema::equal_ignoring_case(entry.key, "services"))
      elements(entry.value, "udp", "services", dynamic_.udp.services);
    else
      unknown(entry, {"udp"}, "routers|services");
  }
}

void Source::certificates(const Node& node) {
  if (node.is_null()) return;
  if (!node.is_list()) {
    Problem& problem = problems_.emplace_back();
    problem.segments = {"tls", "certificates"};
    problem.path = path_of(node, problem.segments);
    problem.origin = origin_of(node);
    problem.what = "expected a list of certificates";
    return;
  }
  for (std::size_t i = 0; i < node.entries().size(); ++i) {
    const Node& item = node.entries()[i].value;
    Element<TlsCertificate>& element = dynamic_.tls.certificates.emplace_back();
    element.origin = origin_of(item);
    schema::read(item, element.options, problems_, {"tls", fmt::format("certificates[{}]", i)});
  }
}

void Source::tls(const Node& node) {
  if (!is_map(node, {"tls"})) return;
  for (const Node::Entry& entry : node.entries()) {
    const auto is = [&](std::string_view name) { return schema::equal_ignoring_case(entry.key, name); };
    if (is("options"))
      elements(entry.value, "tls", "options", dynamic_.tls.options);
    else if (is("stores"))
      elements(entry.value, "tls", "stores", dynamic_.tls.stores);
    else if (is("certificates") && entry.value.format() != schema::Format::Label)
      certificates(entry.value);
    else
      unknown(entry, {"tls"}, "certificates|options|stores");
    if (is("certificates") && entry.value.format() == schema::Format::Label) {
      problems_.back().what = "cannot be set by a label; put it in a file";
      problems_.back().suggestion.clear();
    }
  }
}

// Keys at the top that mean nothing here, and are no mistakes.
bool is_passed_over(std::string_view key) {
  const auto is = [key](std::string_view name) { return schema::equal_ignoring_case(key, name); };
  return is("enable") || is("docker") || is("swarm") || key.starts_with("x-");
}

bool is_of_install(const std::string& key) {
  return schema::find_row(schema::type_of<Static>(), key) != nullptr;
}

void Source::read(const Node& root) {
  if (!is_map(root, {})) return;
  std::vector<std::string> of_install;
  for (const Node::Entry& entry : root.entries()) {
    const auto is = [&](std::string_view name) { return schema::equal_ignoring_case(entry.key, name); };
    if (is("http"))
      http(entry.value);
    else if (is("tcp"))
      tcp(entry.value);
    else if (is("udp"))
      udp(entry.value);
    else if (is("tls"))
      tls(entry.value);
    else if (is_of_install(entry.key))
      of_install.push_back(entry.key);
    else if (!is_passed_over(entry.key))
      unknown(entry, {}, kSections);
  }
  if (!of_install.empty()) install_sections(of_install);
}

// As in Traefik one file may hold both configurations; each reader counts its own sections.
void Source::install_sections(const std::vector<std::string>& names) {
  Problem& problem = problems_.emplace_back();
  problem.kind = Problem::Kind::Ignored;
  problem.severity = schema::Severity::Notice;
  problem.segments = {names.front()};
  problem.key = names.front();
  problem.origin = origin_;
  const bool is_one = names.size() == 1;
  problem.what = fmt::format("{} {} to the install configuration and {} not count here",
                             fmt::join(names, ", "), is_one ? "belongs" : "belong", is_one ? "does" : "do");
  if (!is_one) problem.what += "; an install file is best kept out of providers.file.directory";
}

Dynamic Source::take(schema::Problems* loose) {
  for (const Problem& problem : problems_) {
    const std::size_t before = dynamic_.reasons.size();
    attach(dynamic_, problem, origin_);
    if (loose && dynamic_.reasons.size() != before) loose->push_back(problem);
  }
  return std::move(dynamic_);
}

}  // namespace

Dynamic read_dynamic(const Node& root, const schema::Origin& origin, const MiddlewareTypes& types,
                     schema::Problems* loose) {
  Source source(origin, types);
  source.read(root);
  return source.take(loose);
}

std::optional<std::string> no_configuration(const Node& root) {
  if (root.is_null()) return std::nullopt;
  if (!root.is_map() || root.has_value())
    return fmt::format("holds no configuration: expected sections such as `http:`, got {}",
                       root.is_list() ? "a list" : "plain text");
  if (root.empty()) return std::nullopt;
  for (const Node::Entry& entry : root.entries()) {
    const auto is = [&](std::string_view name) { return schema::equal_ignoring_case(entry.key, name); };
    if (is("http") || is("tcp") || is("udp") || is("tls") || is_of_install(entry.key) ||
        is_passed_over(entry.key))
      return std::nullopt;
  }
  const std::string& key = root.entries().front().key;
  const std::string nearest = schema::nearest_choice(kSections, key);
  return fmt::format(
      "holds no configuration: there is no section `{}`{}", key,
      nearest.empty() ? ", only http, tcp, udp and tls" : fmt::format("; did you mean `{}`?", nearest));
}

}  // namespace fairlead::model
