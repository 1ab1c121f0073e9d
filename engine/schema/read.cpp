#include "engine/schema/read.h"

#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <unordered_set>

namespace fairlead::schema {
namespace {

// A table that contains itself would never end; no real one is this deep.
constexpr std::size_t kDeepestValue = 64;
constexpr std::size_t kMostSuggestions = 100;  // some 0.3 ms each; nobody makes more mistakes honestly

struct Step {
  std::string_view name;     // of the row, or the free name as written
  std::string_view index{};  // of a list element, as written or counted
  bool is_free = false;
};

bool switches_on(std::string_view text) { return text.empty() || equal_ignoring_case(text, "true"); }

// `metrics=true` beside `metrics.prometheus=true`.
bool is_moot(const Node& node) { return !node.empty() && switches_on(node.text()); }

bool is_label_like(Format format) {
  return format == Format::Label || format == Format::Flag || format == Format::Environment;
}

// What stands below an element of a list of maps, where each option has a key of its own.
std::string needs_option(const TypeInfo& element) {
  std::string names;
  if (element.kind == TypeKind::Struct)
    for (const Option& row : element.rows())
      names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return names.empty() ? "needs an option below it, got a single value"
                       : fmt::format("needs an option below it ({}), got a single value", names);
}

class Reader {
 public:
  Reader(const TypeInfo& root, Problems& problems, Path prefix)
      : root_(root), problems_(problems), prefix_(std::move(prefix)) {}

  // Returns false when nothing of the node could be used: an optional then stays unset.
  bool value(const Node& node, const TypeInfo& type, void* object, const Option* row);

 private:
  bool optional(const Node& node, const TypeInfo& type, void* object, const Option* row);
  bool structure(const Node& node, const TypeInfo& type, void* object, const Option* row);
  bool option(const Node::Entry& entry, const TypeInfo& type, void* object);
  bool list(const Node& node, const TypeInfo& type, void* object, const Option* row);
  bool scalar_list(const Node& node, const TypeInfo& element, const TypeInfo& type, void* object,
                   const Option* row);
  bool free_map(const Node& node, const TypeInfo& type, void* object, const Option* row);
  bool scalar(const Node& node, const TypeInfo& type, void* object, const Option* row);
  bool text(const Node& node, std::string_view text, const TypeInfo& type, void* object, const Option* row);

  void twice(const Node::Entry& entry);
  void unknown(const Node::Entry& entry, const TypeInfo& type);
  Problem& report(const Node& node, Problem::Kind kind, Severity severity, std::string what);
  std::string relative_path() const;
  std::string written_path(const Node& node) const;

  const TypeInfo& root_;
  Problems& problems_;
  const Path prefix_;
  std::vector<Step> steps_;
};

bool Reader::value(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  if (node.is_null() || steps_.size() > kDeepestValue) return false;
  switch (type.kind) {
    case TypeKind::Optional: return optional(node, type, object, row);
    case TypeKind::Struct: return structure(node, type, object, row);
    case TypeKind::List: return list(node, type, object, row);
    case TypeKind::Map: return free_map(node, type, object, row);
    case TypeKind::Raw: *static_cast<Node*>(object) = node; return true;
    default: return scalar(node, type, object, row);
  }
}

bool Reader::optional(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  if (row && row->traits.allow_empty && node.has_value() && !switches_on(node.text())) {
    // Whatever else was said below it: `tls=false` beside `tls.certresolver=le` means no TLS.
    type.clear(object);
    if (!equal_ignoring_case(node.text(), "false") || !node.empty())
      report(node, Problem::Kind::Ignored, Severity::Notice,
             fmt::format("`{}` switches it off, and all of its options with it", clip(node.text())));
    return true;
  }
  const bool was_set = type.size(object) > 0;
  const bool usable = value(node, type.element(), type.make(object, {}), row);
  if (!usable && !was_set && type.element().kind != TypeKind::Struct) type.clear(object);
  return usable;
}

bool Reader::structure(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  if (node.is_list()) {
    report(node, Problem::Kind::BadValue, Severity::Error, "expected a map of options, got a list");
    return false;
  }
  if (node.has_value()) {
    const bool may_stand_alone = row && row->traits.allow_empty;
    if (!may_stand_alone && !is_moot(node)) {
      report(node, Problem::Kind::BadValue, Severity::Error,
             "cannot have a value itself; set one of its options");
    } else if (may_stand_alone && !switches_on(node.text())) {
      report(node, Problem::Kind::Ignored, Severity::Notice,
             fmt::format("`{}` leaves it unset, with all of its options", clip(node.text())));
      return true;
    }
  }
  // Labels of two spellings are one node already; in a file nobody can tell which one was meant.
  std::unordered_set<std::string> given;
  for (const Node::Entry& entry : node.entries()) {
    if (!given.insert(lower(entry.key)).second) twice(entry);
    option(entry, type, object);
  }
  return true;
}

bool Reader::option(const Node::Entry& entry, const TypeInfo& type, void* object) {
  const Option* row = find_row(type, entry.key);
  if (!row) {
    unknown(entry, type);
    return false;
  }
  const Node& node = entry.value;
  const Traits& traits = row->traits;
  steps_.push_back({row->name});
  bool usable = true;
  if (traits.not_in_labels && node.format() == Format::Label) {
    report(node, Problem::Kind::Ignored, Severity::Warning, "cannot be set by a label; put it in a file");
    usable = false;
  } else if (traits.out_of_scope && traits.refusal && !node.is_null()) {
    report(node, Problem::Kind::Ignored, Severity::Warning, traits.refusal);
  } else if (traits.out_of_scope && !node.is_null()) {
    report(node, Problem::Kind::Ignored, Severity::Notice, "accepted, but has no effect here");
  } else if (traits.not_yet && !node.is_null()) {
    report(node, Problem::Kind::NotYet, Severity::Notice, "is not yet in effect");
  } else if (traits.deprecated && !node.is_null()) {
    report(node, Problem::Kind::Deprecated, Severity::Warning, "is deprecated").suggestion =
        traits.replaced_by ? traits.replaced_by : "";
  } else if (traits.allow_empty && node.is_null() && node.format() == Format::Yaml) {
    report(node, Problem::Kind::Ignored, Severity::Notice,
           fmt::format("is empty, which sets nothing; write `{}: {{}}` for all defaults", row->name));
  }
  if (usable) usable = value(node, row->type(), row->member(object), row);
  steps_.pop_back();
  return usable;
}

bool Reader::list(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  const TypeInfo& element = type.element();
  if (element.kind != TypeKind::Struct && element.kind != TypeKind::Map && element.kind != TypeKind::Raw)
    return scalar_list(node, element, type, object, row);

  if (node.is_map() && !node.has_value()) {  // `domains.main`, `loadbalancer.server.port`: the index left out
    type.clear(object);
    if (node.empty()) return true;  // `servers: {}` are none
    return value(node, element, type.make(object, {}), nullptr);
  }
  if (!node.is_list() || node.has_value()) {
    if (node.has_value() && node.text().empty()) return false;
    report(
        node, Problem::Kind::BadValue, Severity::Error,
        is_label_like(node.format()) ? needs_option(element) : "expected a list of maps, got a single value");
    return false;
  }
  type.clear(object);
  const bool is_root = steps_.empty();
  if (is_root) steps_.emplace_back();
  std::size_t position = 0;
  for (const Node::Entry& entry : node.entries()) {
    const std::string counted = std::to_string(position++);
    const std::string_view before =
        std::exchange(steps_.back().index, entry.key.empty() ? counted : entry.key);
    value(entry.value, element, type.make(object, {}), nullptr);
    steps_.back().index = before;
  }
  if (is_root) steps_.pop_back();
  return true;
}

bool Reader::scalar_list(const Node& node, const TypeInfo& element, const TypeInfo& type, void* object,
                         const Option* row) {
  const auto split = [&](const Node& from) {
    bool usable = true;
    std::string_view rest = from.text();
    while (true) {
      const std::size_t comma = rest.find(',');
      usable &= text(from, trim(rest.substr(0, comma)), element, type.make(object, {}), row);
      if (comma == std::string_view::npos) return usable;
      rest.remove_prefix(comma + 1);
    }
  };
  if (node.is_map()) {
    report(node, Problem::Kind::BadValue, Severity::Error, "expected a list, got a map");
    return false;
  }
  if (node.is_scalar()) {
    if (node.text().empty()) return false;  // an empty list cannot be said this way: it stays unset
    type.clear(object);
    split(node);
  } else {
    type.clear(object);
    if (!node.text().empty()) split(node);  // `users=a:b` beside `users[0]=c:d`
    for (const Node::Entry& entry : node.entries()) {
      const Node& item = entry.value;
      if (item.is_null()) continue;
      if (!item.is_scalar())
        report(item, Problem::Kind::BadValue, Severity::Error, "expected a plain value in this list");
      else if (is_label_like(item.format()))
        split(item);
      else
        text(item, item.text(), element, type.make(object, {}), row);
    }
  }
  if (row && row->traits.check.texts && element.kind == TypeKind::Text)
    if (Complaint complaint =
            row->traits.check.texts(*static_cast<const std::vector<std::string>*>(object))) {
      report(node, Problem::Kind::BadValue, Severity::Error, *complaint);
      return false;
    }
  return true;
}

bool Reader::free_map(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  if (node.has_value() && !(node.is_scalar() && node.text().empty()) && !is_moot(node))
    report(node, Problem::Kind::BadValue, Severity::Error,
           fmt::format("expected names with values below, got \"{}\"", clip(node.text())));
  if (node.is_list()) {
    report(node, Problem::Kind::BadValue, Severity::Error, "expected a map of names, got a list");
    return false;
  }
  for (const Node::Entry& entry : node.entries()) {
    if (entry.value.is_null()) continue;
    steps_.push_back({.name = entry.key, .is_free = true});
    value(entry.value, type.element(), type.make(object, entry.key), row);
    steps_.pop_back();
  }
  return true;
}

bool Reader::scalar(const Node& node, const TypeInfo& type, void* object, const Option* row) {
  if (!node.has_value() || node.is_list()) {
    report(node, Problem::Kind::BadValue, Severity::Error,
           fmt::format("expected {}, got {}", describe(type.kind), node.is_list() ? "a list" : "a map"));
    return false;
  }
  if (!node.empty())
    report(node.entries().front().value, Problem::Kind::BadValue, Severity::Error,
           fmt::format("{} has no options below it", describe(type.kind)));
  return text(node, node.text(), type, object, row);
}

bool Reader::text(const Node& node, std::string_view text, const TypeInfo& type, void* object,
                  const Option* row) {
  static constexpr Traits kNone;
  const Traits& traits = row ? row->traits : kNone;
  // As in Go, an option that is empty is not set. An empty element of a list or map is a mistake.
  if (traits.choices && text.empty() && row->type().kind == TypeKind::Text) return true;
  if (traits.choices && !is_choice(traits.choices, text)) {
    report(node, Problem::Kind::BadValue, Severity::Error,
           fmt::format("expected one of {}, got \"{}\"", traits.choices, clip(text)))
        .suggestion = nearest_choice(traits.choices, text);
    return false;
  }
  std::string complaint = parse_scalar(text, type.kind, object, traits.check);
  if (complaint.empty()) return true;
  if (!traits.secret) complaint += fmt::format(", got \"{}\"", clip(text));
  report(node, Problem::Kind::BadValue, Severity::Error, std::move(complaint));
  return false;
}

void Reader::twice(const Node::Entry& entry) {
  steps_.push_back({entry.key});
  report(entry.value, Problem::Kind::BadValue, Severity::Error, "is given twice, in different spellings");
  steps_.pop_back();
}

void Reader::unknown(const Node::Entry& entry, const TypeInfo& type) {
  // What stands below an unknown key helps to find the right place: `cooky.name`.
  std::string written = entry.key;
  const Node* leaf = &entry.value;
  for (std::size_t depth = 0; depth < kDeepestValue && leaf->is_map() && !leaf->empty(); ++depth) {
    written += '.' + leaf->entries().front().key;
    leaf = &leaf->entries().front().value;
  }
  const bool as_label = entry.value.format() == Format::Label;
  std::string suggestion;
  if (problems_.size() < kMostSuggestions) {
    suggestion = nearest_option(type, written, as_label);
    if (!suggestion.empty())
      suggestion = relative_path() + suggestion;
    else
      suggestion = same_option_elsewhere(root_, written, as_label);
    if (suggestion.empty() && written != entry.key)
      suggestion = same_option_elsewhere(root_, entry.key, as_label);
  }
  if (as_label) suggestion = lower(suggestion);

  std::string what = fmt::format("there is no option `{}` here", clip(entry.key));
  if (!is_label_like(entry.value.format()) && is_dotted_option(type, entry.key)) {
    what = fmt::format("a dot in a key does not nest: write {}", nested(entry.key));
    suggestion.clear();
  }
  // `routers.my.app.rule`, where `my.app` was meant to be one name. Elements are read one by one, below a
  // prefix of section, kind and name.
  const bool is_below_name = steps_.empty() ? prefix_.size() == 3 : steps_.back().is_free;
  const bool splits_name = as_label && suggestion.empty() && is_below_name && written != entry.key &&
                           find_row(type, written.substr(written.rfind('.') + 1));
  if (splits_name) what += "; a name in a label holds no dot";
  steps_.push_back({entry.key});
  Problem& problem = report(entry.value, Problem::Kind::UnknownKey, Severity::Error, std::move(what));
  problem.suggestion = std::move(suggestion);
  problem.key = entry.key;
  steps_.pop_back();
}

Problem& Reader::report(const Node& node, Problem::Kind kind, Severity severity, std::string what) {
  Problem& problem = problems_.emplace_back();
  problem.kind = kind;
  problem.severity = severity;
  problem.segments = prefix_;
  for (const Step& step : steps_) {
    std::string segment(step.name);
    if (!step.index.empty()) segment += fmt::format("[{}]", step.index);
    problem.segments.push_back(std::move(segment));
  }
  problem.path = written_path(node);
  problem.key = problem.segments.empty() ? std::string() : problem.segments.back();
  problem.origin = node.origin();
  problem.what = std::move(what);
  return problem;
}

std::string Reader::written_path(const Node& node) const {
  if (!node.label().empty()) return node.label();
  std::string out;
  for (const std::string& segment : prefix_) out += (out.empty() ? "" : ".") + segment;
  for (const Step& step : steps_) {
    if (!out.empty() && !step.name.empty()) out += '.';
    out += step.name;
    if (!step.index.empty()) out += fmt::format("[{}]", step.index);
  }
  return out;
}

// From the nearest free name on, with a dot behind: suggestions read `loadbalancer.server.port`.
std::string Reader::relative_path() const {
  std::string out;
  for (const Step& step : steps_) {
    if (step.is_free) {
      out.clear();
      continue;
    }
    out += step.name;
    if (!step.index.empty()) out += fmt::format("[{}]", step.index);
    out += '.';
  }
  return out;
}

}  // namespace

void read_into(const Node& node, const TypeInfo& type, void* object, Problems& problems, Path prefix) {
  Reader(type, problems, std::move(prefix)).value(node, type, object, nullptr);
}

}  // namespace fairlead::schema
