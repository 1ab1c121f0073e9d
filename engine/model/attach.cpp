#include "engine/model/attach.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace fairlead::model {
namespace {

using Kind = schema::Problem::Kind;

// Reasons of one element, and of what belongs to none. Nobody reads more, and all are compared with those
// before at each change.
constexpr std::size_t kMostReasons = 100;

// How much a class of elements forgives.
enum class Temper {
  Strict,   // nothing: serving it without the option could open what should be shut
  Lenient,  // unknown keys are only told, wrong values break
};

bool breaks(const schema::Problem& problem, Temper temper) {
  switch (problem.kind) {
    case Kind::UnknownKey: return temper == Temper::Strict;
    case Kind::BadValue:
    case Kind::BadSyntax: return true;
    // A label that only a file may say was meant to have an effect.
    case Kind::Ignored: return temper == Temper::Strict && problem.severity != schema::Severity::Notice;
    case Kind::Deprecated:
    case Kind::NotYet: return false;
  }
  return false;
}

template <class T>
bool put(std::map<std::string, Element<T>>& elements, const schema::Problem& problem,
         const schema::Origin& origin, Temper temper) {
  const std::string& name = problem.segments[2];
  auto found = elements.find(name);
  if (found == elements.end())  // labels compare names without case and keep the first spelling
    for (auto it = elements.begin(); it != elements.end(); ++it)
      if (schema::equal_ignoring_case(it->first, name)) {
        found = it;
        break;
      }
  if (found == elements.end()) {
    found = elements.try_emplace(name).first;
    found->second.origin = origin;
  }
  Reason reason = reason_of(problem);
  reason.breaks = breaks(problem, temper);
  if (found->second.reasons.size() < kMostReasons || (reason.breaks && !found->second.broken()))
    found->second.reasons.push_back(std::move(reason));
  return true;
}

bool put_certificate(Tls& tls, const schema::Problem& problem) {
  const std::string& segment = problem.segments[1];  // "certificates[3]"
  const std::size_t open = segment.find('[');
  std::size_t index = 0;
  if (open != std::string::npos)
    std::from_chars(segment.data() + open + 1, segment.data() + segment.size(), index);
  if (index >= tls.certificates.size()) return false;
  Reason reason = reason_of(problem);
  reason.breaks = breaks(problem, Temper::Lenient);
  tls.certificates[index].reasons.push_back(std::move(reason));
  return true;
}

bool put_on_element(Dynamic& dynamic, const schema::Problem& problem, const schema::Origin& origin) {
  const std::vector<std::string>& at = problem.segments;
  if (at.size() >= 2 && at[0] == "tls" && at[1].starts_with("certificates"))
    return put_certificate(dynamic.tls, problem);
  if (at.size() < 3) return false;
  // Of a label that could not be read as a whole, the sections stand as they were written.
  const std::string section = schema::lower(at[0]);
  const std::string kind = schema::lower(at[1]);
  const auto common = [&](auto& part) {
    if (kind == "routers") return put(part.routers, problem, origin, Temper::Strict);
    if (kind == "services") return put(part.services, problem, origin, Temper::Lenient);
    return false;
  };
  const auto transports = [&](auto& part) {
    if (kind == "middlewares") return put(part.middlewares, problem, origin, Temper::Strict);
    if (kind == "serverstransports") return put(part.servers_transports, problem, origin, Temper::Lenient);
    return common(part);
  };
  if (section == "http") return transports(dynamic.http);
  if (section == "tcp") return transports(dynamic.tcp);
  if (section == "udp") return common(dynamic.udp);
  if (section == "tls" && kind == "options") return put(dynamic.tls.options, problem, origin, Temper::Strict);
  if (section == "tls" && kind == "stores") return put(dynamic.tls.stores, problem, origin, Temper::Lenient);
  return false;
}

ReasonKind kind_of(const schema::Problem& problem) {
  switch (problem.kind) {
    case Kind::Deprecated: return ReasonKind::Deprecated;
    case Kind::Ignored: return ReasonKind::Ineffective;
    case Kind::NotYet: return ReasonKind::NotYet;
    case Kind::UnknownKey:
    case Kind::BadValue:
    case Kind::BadSyntax: break;
  }
  return ReasonKind::BadOption;
}

// A label's key may be as long as its writer likes; the log and the API need not be.
std::string shortened(const std::string& path) {
  constexpr std::size_t kMaxPath = 200;
  return path.size() <= kMaxPath ? path : path.substr(0, kMaxPath) + "…";
}

}  // namespace

Reason reason_of(const schema::Problem& problem) {
  Reason reason;
  reason.kind = kind_of(problem);
  reason.text =
      problem.path.empty() ? problem.what : fmt::format("{}: {}", shortened(problem.path), problem.what);
  if (!problem.suggestion.empty()) {
    const bool is_replacement = problem.kind == Kind::Deprecated;
    const std::string suggestion = shortened(problem.suggestion);
    reason.hint =
        is_replacement ? fmt::format("use {}", suggestion) : fmt::format("did you mean `{}`?", suggestion);
  }
  return reason;
}

Reason reason_at(const schema::Problem& problem, const schema::Origin& origin) {
  Reason reason = reason_of(problem);
  const std::string where = problem.origin.source.empty() ? origin.text() : problem.origin.text();
  if (where.empty()) return reason;
  reason.text = problem.path.empty()
                    ? fmt::format("{}: {}", where, problem.what)
                    : fmt::format("{} ({}): {}", shortened(problem.path), where, problem.what);
  return reason;
}

void attach(Dynamic& dynamic, const schema::Problem& problem, const schema::Origin& origin) {
  if (!put_on_element(dynamic, problem, origin) && dynamic.reasons.size() < kMostReasons)
    dynamic.reasons.push_back(reason_at(problem, origin));
}

}  // namespace fairlead::model
