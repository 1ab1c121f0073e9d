#include "engine/schema/labels.h"

#include "engine/base/strings.h"
#include "engine/schema/key.h"
#include "engine/schema/labels_v1.h"
#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace fairlead::schema {
namespace {

constexpr std::string_view kTraefik = "traefik.";
constexpr std::string_view kFairlead = "fairlead.";
constexpr std::string_view kEnable = "enable";
constexpr std::string_view kDeep = "http|tcp|udp|tls|docker|swarm";
constexpr std::string_view kShort = "host|port|path|auth";
constexpr std::size_t kMisspelt = 2;  // letters: "enabled", "enabel"; not "disable"

// The name before the first dot, without what pasting may leave in front of it.
std::string_view bare_root(std::string_view label) {
  constexpr std::string_view kLeftovers[] = {" ", "\t", "\"", "'", "-", "\u00A0", "\u200B", "\uFEFF"};
  for (bool is_bare = false; !is_bare;) {
    is_bare = true;
    for (const std::string_view leftover : kLeftovers)
      if (label.starts_with(leftover)) {
        label.remove_prefix(leftover.size());
        is_bare = false;
      }
  }
  return label.substr(0, label.find('.'));
}

// "treafik" for "traefik"; not "xtraefik" or "traefik2", which somebody may have put out of use.
bool is_slip_of(std::string_view root, std::string_view name) {
  return root.size() <= name.size() && root.size() + 1 >= name.size() && is_alpha(root.front()) &&
         to_lower(root.front()) == name.front() && distance(root, name) <= kMisspelt;
}

bool begins_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

class LabelReader {
 public:
  LabelReader(const std::string& source, Problems& problems)
      : source_(source), problems_(problems), root_(Node::map()) {}

  void all(const Labels& labels, std::string_view prefix) {
    for (const auto& [key, value] : labels)  // byte order, which decides between spellings of one key
      if (begins_with_ignoring_case(key, prefix)) one(key, value, prefix);
  }

  // Labels that are not ours and that somebody meant to be.
  void strays(const Labels& labels) {
    for (const auto& [key, value] : labels)
      if (key.size() > kTraefik.size() && !begins_with_ignoring_case(key, kTraefik) &&
          !begins_with_ignoring_case(key, kFairlead))
        stray(key, value);
  }

  Node take() { return std::move(root_); }

 private:
  void one(const std::string& label, const std::string& value, std::string_view prefix);
  void stray(const std::string& label, const std::string& value);
  void hide_if_meant(const std::string& label, const Key& key, const std::string& value);
  bool known_section(const std::string& label, const Key& key, std::string_view prefix);
  Problem& report(const std::string& label, const Key& key, Problem::Kind kind, Severity severity,
                  std::string what);

  const std::string& source_;
  Problems& problems_;
  Node root_;
  ChildIndex index_;
};

void LabelReader::one(const std::string& label, const std::string& value, std::string_view prefix) {
  const Key key = split_key(std::string_view(label).substr(prefix.size()));
  if (!key.complaint.empty()) {
    report(label, key, Problem::Kind::BadSyntax, Severity::Error, key.complaint);
    hide_if_meant(label, key, value);
    return;
  }
  if (!label.starts_with(prefix)) {
    report(label, key, Problem::Kind::BadSyntax, Severity::Error,
           fmt::format("must begin with `{}`, in lower case", prefix))
        .suggestion = std::string(prefix) + label.substr(prefix.size());
    hide_if_meant(label, key, value);
    return;
  }
  if (!known_section(label, key, prefix)) return hide_if_meant(label, key, value);
  const auto place = std::make_shared<const Place>(Place{source_, label, Format::Label});
  Node& node = descend(root_, key.segments, place, &index_);
  node.set_value(value);
  node.set_place(place);  // a map made on the way here belonged to the label of its first child
}

// What only stands behind a blank or a quotation mark names its element well enough to break it. A misspelt
// root is told alone.
void LabelReader::stray(const std::string& label, const std::string& value) {
  const std::string_view root = bare_root(label);
  if (root.empty() || root.size() > kFairlead.size()) return;
  const std::size_t begin = static_cast<std::size_t>(root.data() - label.data());
  if (begin + root.size() + 1 >= label.size()) return;
  const std::string_view rest = std::string_view(label).substr(begin + root.size() + 1);
  const Key key = split_key(rest);
  if (!key.complaint.empty()) return;
  const std::string first = lower(key.segments.front().name);
  for (const std::string_view prefix : {kTraefik, kFairlead}) {
    const std::string_view name = prefix.substr(0, prefix.size() - 1);
    if (!is_choice(kDeep, first) && first != kEnable && !(prefix == kFairlead && is_choice(kShort, first)))
      continue;
    const bool is_exact = equal_ignoring_case(root, name);
    if (!is_exact && !(begin == 0 && is_slip_of(root, name))) continue;
    Problem& problem =
        report(label, key, is_exact ? Problem::Kind::BadSyntax : Problem::Kind::UnknownKey,
               is_exact ? Severity::Error : Severity::Warning, fmt::format("must begin with `{}`", prefix));
    problem.suggestion = std::string(prefix).append(rest);
    if (!is_exact) problem.segments.insert(problem.segments.begin(), std::string(root));
    return hide_if_meant(label, key, value);
  }
}

// Who writes `Traefik.enable=false` or `traefik.enabled=false` must not be exposed by it.
void LabelReader::hide_if_meant(const std::string& label, const Key& key, const std::string& value) {
  if (key.segments.size() != 1 || distance(key.segments[0].name, kEnable) > kMisspelt ||
      parse_bool(value) != false)
    return;
  const std::vector<Segment> meant{{kEnable, std::nullopt}};
  descend(root_, meant, std::make_shared<const Place>(Place{source_, label, Format::Label}), &index_)
      .set_value(value);
}

bool LabelReader::known_section(const std::string& label, const Key& key, std::string_view prefix) {
  const std::string first = lower(key.segments.front().name);
  const auto is_one_of = [&first](std::string_view names) { return is_choice(names, first); };
  const bool is_short = prefix == kFairlead && is_one_of(kShort);
  const bool is_deep = is_one_of(kDeep);
  if (is_deep && key.segments.size() > 1) return true;
  if ((is_short || is_one_of(kEnable)) && key.segments.size() == 1) return true;

  if (prefix == kTraefik) {
    if (auto today = replacement_of_v1_label(std::string_view(label).substr(prefix.size()))) {
      report(label, key, Problem::Kind::UnknownKey, Severity::Warning,
             "is a label of Traefik 1, which is not read any more")
          .suggestion = std::move(*today);
      return false;
    }
  }
  if (is_deep || is_short || is_one_of(kEnable)) {
    report(label, key, Problem::Kind::UnknownKey, Severity::Warning,
           is_deep ? "needs an option below it"
                   : fmt::format("`{}` has no options below it", key.segments[0].name));
    return false;
  }
  std::string known = fmt::format("{}|{}", kDeep, kEnable);
  if (prefix == kFairlead) known += fmt::format("|{}", kShort);
  const std::string nearest = nearest_choice(known, first);
  Problem& problem = report(label, key, Problem::Kind::UnknownKey, Severity::Warning,
                            fmt::format("there is no section `{}`", clip(key.segments[0].name)));
  problem.key = key.segments.front().name;
  if (!nearest.empty())
    problem.suggestion =
        std::string(prefix) + nearest + label.substr(prefix.size() + key.segments.front().name.size());
  return false;
}

Problem& LabelReader::report(const std::string& label, const Key& key, Problem::Kind kind, Severity severity,
                             std::string what) {
  Problem& problem = problems_.emplace_back();
  problem.kind = kind;
  problem.severity = severity;
  for (const Segment& segment : key.segments) problem.segments.push_back(spell(segment));
  problem.path = label;
  problem.key = problem.segments.empty() ? std::string() : problem.segments.back();
  problem.origin.source = source_;
  problem.what = std::move(what);
  return problem;
}

}  // namespace

Node read_labels(const Labels& labels, const std::string& source, Problems& problems) {
  LabelReader reader(source, problems);
  reader.all(labels, kTraefik);
  reader.all(labels, kFairlead);
  reader.strays(labels);
  return reader.take();
}

}  // namespace fairlead::schema
