#include "engine/routing/clause.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/routing/regex.h"
#include "engine/routing/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::routing {
namespace {

using Done = std::expected<void, RuleFault>;

std::unexpected<RuleFault> fault(std::size_t at, std::string what) {
  return std::unexpected(RuleFault{at, std::move(what)});
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Lower case, without brackets and one trailing dot, and an IPv6 address in its short form: comparable with
// http::RequestHead::host.
std::string canonical_host(std::string_view host) {
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (auto address = http::canonical_ipv6(host)) return std::move(*address);
  // "*." without its dot would be everything; as it stands it matches nothing.
  if (host.size() > 1 && host.ends_with('.') && host != "*.") host.remove_suffix(1);
  return lower(host);
}

// Whether a regular expression asks for a capital letter by itself: not as one of a class, not as part of an
// escape such as \S, and not without regard to case.
bool has_capitals(std::string_view pattern) {
  if (pattern.find("(?") != pattern.npos || pattern.find("\\p") != pattern.npos ||
      pattern.find("\\P") != pattern.npos)
    return false;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\')
      ++i;
    else if (c == '[' || c == ']')
      in_class = c == '[';
    else if (!in_class && c >= 'A' && c <= 'Z')
      return true;
  }
  return false;
}

class ClauseBuilder {
 public:
  ClauseBuilder(Rule& rule, const Call& call, Syntax syntax, bool negated)
      : rule_(rule), call_(call), syntax_(syntax), negated_(negated) {}

  Done build() {
    if (const auto counted = check_count(); !counted) return counted;
    for (const Token& argument : call_.arguments)
      if (argument.text.empty())
        return fault(argument.at, fmt::format("{} has an empty value", call_.form->name));
    const std::size_t step = call_.form->arguments == Arguments::Pairs ? 2
                             : takes_pair()                            ? call_.arguments.size()
                                                                       : 1;
    const std::size_t clauses = call_.arguments.size() / step;
    const std::size_t group = rule_.nodes.size();
    if (clauses > 1) {
      Node node;
      const bool alternatives = call_.form->arguments == Arguments::One;
      node.op = alternatives != negated_ ? Node::Op::Any : Node::Op::All;  // De Morgan
      rule_.nodes.push_back(std::move(node));
    }
    for (std::size_t i = 0; i < call_.arguments.size(); i += step)
      if (const auto done = append(i); !done) return done;
    if (clauses > 1) rule_.nodes[group].size = static_cast<std::uint32_t>(rule_.nodes.size() - group);
    return {};
  }

 private:
  bool takes_pair() const {
    return call_.form->arguments == Arguments::Pair || call_.form->arguments == Arguments::KeyAndValue;
  }

  Done check_count() const {
    const std::size_t count = call_.arguments.size();
    const std::string_view name = call_.form->name;
    const auto expected = [&](std::string_view what) {
      return fault(call_.at, fmt::format("{} takes {}, got {}", name, what, count));
    };
    if (count == 0)
      return fault(call_.at,
                   fmt::format("{} has no value; if it was `…` in a shell, quote it: the shell took the "
                               "backticks",
                               name));
    switch (call_.form->arguments) {
      case Arguments::One:
        if (count == 1 || syntax_ == Syntax::V2) return {};
        return fault(call_.at,
                     fmt::format("{} takes one value, got {}; several are v2 syntax, in v3 write ({})", name,
                                 count, as_alternatives()));
      case Arguments::Pair: return count == 2 ? Done{} : expected("a name and a value");
      case Arguments::KeyAndValue:
        return count <= 2
                   ? Done{}
                   : expected("a key and a value; several are v2 syntax, in v3 write one for each with &&");
      case Arguments::Pairs: return count % 2 == 0 ? Done{} : expected("names and values in pairs");
      case Arguments::Assignments: return {};
    }
    return {};
  }

  std::string as_alternatives() const {
    constexpr std::size_t kShown = 4;
    std::vector<std::string> calls;
    for (const Token& argument : call_.arguments) {
      if (calls.size() == kShown) {
        calls.emplace_back("…");
        break;
      }
      calls.push_back(clause_text(call_.form->matcher, false, argument.text, {}));
    }
    return join(calls, " || ");
  }

  // Appends the Test of the clause whose first argument is number `i`.
  Done append(std::size_t i) {
    const Token& first = call_.arguments[i];
    const Token* second = i + 1 < call_.arguments.size() ? &call_.arguments[i + 1] : nullptr;
    Node node;
    node.matcher = call_.form->matcher;
    node.negated = negated_;
    node.first = first.text;
    const auto done = fill(node, first, second);
    if (done) rule_.nodes.push_back(std::move(node));
    return done;
  }

  Done fill(Node& node, const Token& first, const Token* second) {
    switch (node.matcher) {
      case Matcher::Host: return host(node, first);
      case Matcher::HostSni: return host_sni(node, first);
      case Matcher::HostRegexp:
      case Matcher::HostSniRegexp: return host_regexp(node, first);
      case Matcher::Path:
      case Matcher::PathPrefix: return path(node, first);
      case Matcher::PathRegexp: return regexp(node, first, first.text);
      case Matcher::Method: node.first = upper(first.text); return {};
      case Matcher::Header: return header(node, first, *second);
      case Matcher::HeaderRegexp:
        if (const auto done = header(node, first, *second); !done) return done;
        return regexp(node, *second, second->text);
      case Matcher::Query:
      case Matcher::QueryRegexp: return query(node, first, second);
      case Matcher::ClientIp: return client_ip(node, first);
      case Matcher::Alpn: return alpn(first);
    }
    return {};
  }

  Done regexp(Node& node, const Token& argument, std::string_view pattern) {
    auto compiled = Regex::compile(pattern);
    if (!compiled)
      return fault(argument.at, fmt::format("{}: the regular expression {} does not compile: {}",
                                            call_.form->name, quoted(argument.text), compiled.error()));
    node.regex = std::move(*compiled);
    return {};
  }

  Done from_template(Node& node, const Token& argument, TemplateKind kind) {
    const auto pattern = template_pattern(argument.text, kind);
    if (!pattern)
      return fault(argument.at,
                   fmt::format("{}: {} {}", call_.form->name, quoted(argument.text), pattern.error()));
    return regexp(node, argument, *pattern);
  }

  // Notes that a v3 value looks like a template of the old syntax, with what to write instead.
  void notice_template(const Token& argument, TemplateKind kind, Matcher instead) {
    if (syntax_ != Syntax::V3 || !is_template(argument.text)) return;
    if (const auto pattern = template_pattern(argument.text, kind))
      rule_.notices.push_back(fmt::format("column {}: {} is a template of v2 syntax; in v3 write {}",
                                          argument.at + 1, quoted(argument.text),
                                          clause_text(instead, false, *pattern, {})));
  }

  void never_matches(const Token& argument, std::string_view why) {
    rule_.notices.push_back(fmt::format("column {}: {}(`{}`) never matches: {}", argument.at + 1,
                                        call_.form->name, argument.text, why));
  }

  Done ascii(const Token& argument) const {
    if (is_ascii(argument.text)) return {};
    return fault(argument.at,
                 fmt::format("{} takes ASCII names only; write the punycode form (xn--…) of \"{}\"",
                             call_.form->name, argument.text));
  }

  Done host(Node& node, const Token& argument) {
    if (const auto checked = ascii(argument); !checked) return checked;
    node.first = canonical_host(argument.text);
    const std::string& value = node.first;
    const auto notice = [&](std::string_view why) { never_matches(argument, why); };
    if (value.starts_with('.') || value.find("..") != value.npos)
      notice("a part between two dots is empty");
    else if (value.find_first_of("/{") != value.npos)
      notice("it takes a host name; use Path, PathPrefix or HostRegexp for the rest");
    else if (std::ranges::count(value, ':') == 1)
      notice("a host is compared without its port");
    else if (value != "*" && value.rfind('*') != value.npos &&
             (value.rfind('*') != 0 || !value.starts_with("*.")))
      notice("* stands alone or for the whole first label, as in *.example.com");
    return {};
  }

  Done host_sni(Node& node, const Token& argument) {
    if (const auto checked = ascii(argument); !checked) return checked;
    node.first = canonical_host(argument.text);
    if (node.first == "*") return {};
    const std::string_view rest = std::string_view(node.first).substr(node.first.starts_with("*.") ? 2 : 0);
    const bool valid = !rest.empty() && std::ranges::all_of(rest, [](char c) {
      return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == ':';
    });
    if (valid) return {};
    return fault(argument.at,
                 fmt::format("HostSNI takes a host name, *.example.com or *, got {}", quoted(argument.text)));
  }

  Done host_regexp(Node& node, const Token& argument) {
    if (const auto checked = ascii(argument); !checked) return checked;
    if (syntax_ == Syntax::V2) return from_template(node, argument, TemplateKind::Host);
    // `{sub:…}` compiles, as literal braces; `{2,3}` is a repetition.
    if (argument.text.find('{') != argument.text.npos && argument.text.find(':') != argument.text.npos)
      notice_template(argument, TemplateKind::Host, node.matcher);
    if (has_capitals(argument.text))
      rule_.notices.push_back(fmt::format(
          "column {}: the host is compared in lower case, so the capital letters of {} match nothing",
          argument.at + 1, quoted(argument.text)));
    return regexp(node, argument, argument.text);
  }

  Done path(Node& node, const Token& argument) {
    if (!argument.text.starts_with('/'))
      return fault(argument.at, fmt::format("{} must start with a slash; write {}", call_.form->name,
                                            clause_text(node.matcher, false, "/" + argument.text, {})));
    const auto kind = node.matcher == Matcher::Path ? TemplateKind::Path : TemplateKind::PathPrefix;
    notice_template(argument, kind, Matcher::PathRegexp);
    std::string buffer;
    const std::string_view as_compared = matching_path(argument.text, buffer);
    if (!is_template(argument.text) && argument.text.find_first_of("?#") != argument.text.npos)
      never_matches(argument, "a path ends before ? and #; use Query for what stands behind");
    else if (as_compared != argument.text)
      never_matches(argument, fmt::format("of a path the decoded form is compared; write {}",
                                          clause_text(node.matcher, false, std::string(as_compared), {})));
    if (syntax_ == Syntax::V3 || !is_template(argument.text)) return {};
    node.matcher = Matcher::PathRegexp;
    return from_template(node, argument, kind);
  }

  Done header(Node& node, const Token& name, const Token& value) {
    node.second = value.text;
    if (iequals(name.text, "host")) never_matches(name, "the host is none of the headers; use Host");
    return {};
  }

  Done query(Node& node, const Token& first, const Token* second) {
    if (call_.form->arguments != Arguments::Assignments) {
      if (second) node.second = second->text;
      if (!second && syntax_ == Syntax::V3 && first.text.find('=') != first.text.npos) {
        const std::size_t equals = first.text.find('=');
        rule_.notices.push_back(fmt::format(
            "column {}: {} is an assignment of v2 syntax; in v3 write Query(`{}`, `{}`)", first.at + 1,
            quoted(first.text), first.text.substr(0, equals), first.text.substr(equals + 1)));
      }
      if (node.matcher == Matcher::Query) return {};
      if (second) return regexp(node, *second, second->text);
      node.matcher = Matcher::Query;  // one argument: present with an empty value, as Query
      return {};
    }
    const std::size_t equals = first.text.find('=');
    if (equals == first.text.npos || equals == 0)
      return fault(first.at, fmt::format("Query takes `key=value`, got {}", quoted(first.text)));
    node.first = first.text.substr(0, equals);
    node.second = first.text.substr(equals + 1);
    if (!node.second.empty() && !is_template(node.second)) return {};
    // Nothing behind the sign means any value.
    const auto pattern = template_pattern(node.second.empty() ? "{any}" : node.second, TemplateKind::Value);
    if (!pattern) return fault(first.at, fmt::format("Query: {} {}", quoted(first.text), pattern.error()));
    node.matcher = Matcher::QueryRegexp;
    return regexp(node, first, *pattern);
  }

  Done client_ip(Node& node, const Token& argument) {
    const auto network = Network::parse(argument.text);
    if (!network)
      return fault(argument.at, fmt::format("ClientIP takes an address or a block such as 10.0.0.0/8, got {}",
                                            quoted(argument.text)));
    node.network = *network;
    return {};
  }

  Done alpn(const Token& argument) {
    if (argument.text == "acme-tls/1")
      return fault(argument.at, "ALPN(`acme-tls/1`) is reserved for certificate challenges");
    return {};
  }

  Rule& rule_;
  const Call& call_;
  const Syntax syntax_;
  const bool negated_;
};

}  // namespace

std::expected<void, RuleFault> append_clause(Rule& rule, const Call& call, Syntax syntax, bool negated) {
  return ClauseBuilder(rule, call, syntax, negated).build();
}

}  // namespace fairlead::routing
