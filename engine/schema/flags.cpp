#include "engine/schema/flags.h"

#include "engine/schema/resolve.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <memory>

namespace fairlead::schema {
namespace {

constexpr const char* kCommandLine = "command line";

// A flag is `-` or `--` and a name; a lone `-` is a word.
bool is_flag(std::string_view word) { return word.size() > 1 && word[0] == '-' && word != "--"; }

class FlagReader {
 public:
  FlagReader(std::span<const std::string> arguments, const TypeInfo& root, Problems& problems)
      : arguments_(arguments), root_(root), problems_(problems) {
    out_.options = Node::map();
  }

  CommandLine read() {
    while (at_ < arguments_.size() && is_flag(arguments_[at_])) one(arguments_[at_++]);
    if (at_ < arguments_.size() && arguments_[at_] == "--") ++at_;
    out_.words.assign(arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
    return std::move(out_);
  }

 private:
  void one(const std::string& word);
  void set(const std::string& flag, const Key& key, const Target& target, std::string value);
  void unknown(const std::string& flag, std::string_view name, const Key& key, const Target& target);
  Problem& report(const std::string& flag, const Key& key, Problem::Kind kind, std::string what);

  std::span<const std::string> arguments_;
  const TypeInfo& root_;
  Problems& problems_;
  CommandLine out_;
  std::size_t at_ = 0;
};

void FlagReader::one(const std::string& word) {
  std::string_view text = word;
  text.remove_prefix(text.starts_with("--") ? 2 : 1);
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string flag = word.substr(0, word.size() - text.size() + name.size());
  if (equals == std::string_view::npos && (name == "h" || equal_ignoring_case(name, "help"))) {
    out_.wants_help = true;
    return;
  }
  const Key key = split_key(name);
  if (!key.complaint.empty()) {
    report(flag, key, Problem::Kind::BadSyntax, key.complaint);
    return;
  }
  const Target target = resolve(root_, key.segments);
  const bool is_known = target.good == key.segments.size();
  const bool has_next = at_ < arguments_.size();
  if (!is_known) {
    unknown(flag, name, key, target);
    // Most likely its value: otherwise all that follows would be taken for words.
    if (equals == std::string_view::npos && has_next && !is_flag(arguments_[at_])) ++at_;
    return;
  }
  if (equals != std::string_view::npos) return set(flag, key, target, std::string(text.substr(equals + 1)));
  if (may_stand_bare(target)) return set(flag, key, target, "true");
  const bool is_raw = target.type->kind == TypeKind::Raw;
  if (is_raw && (!has_next || is_flag(arguments_[at_]))) return set(flag, key, target, "true");
  if (!has_next) {
    report(flag, key, Problem::Kind::BadValue, "needs a value");
    return;
  }
  set(flag, key, target, arguments_[at_++]);
}

void FlagReader::set(const std::string& flag, const Key& key, const Target& target, std::string value) {
  const auto place = std::make_shared<const Place>(Place{kCommandLine, flag, Format::Flag});
  const bool is_list = target.type->kind == TypeKind::List && is_scalar_option(*target.type);
  if (is_list && value.empty()) {
    descend_to_section(out_.options, key.segments, place);
    return;
  }
  Node& node = descend(out_.options, key.segments, place);
  if (is_list && !key.segments.back().index) {
    Node item = Node::scalar(std::move(value));
    item.set_place(place);
    node.push(std::move(item));
    return;
  }
  node.set_value(std::move(value));
  node.set_place(place);
}

void FlagReader::unknown(const std::string& flag, std::string_view name, const Key& key,
                         const Target& target) {
  std::string prefix;
  for (std::size_t i = 0; i < target.good; ++i) prefix += spell(key.segments[i]) + '.';
  Problem& problem = report(flag, key, Problem::Kind::UnknownKey, "unknown flag");
  const TypeInfo& type = inner(*target.type);
  std::string nearest;
  if (type.kind == TypeKind::Struct) nearest = nearest_option(type, name.substr(prefix.size()), false);
  if (!nearest.empty())
    problem.suggestion = "--" + prefix + nearest;
  else if (nearest = same_option_elsewhere(root_, name.substr(prefix.size()), false); !nearest.empty())
    problem.suggestion = "--" + nearest;
  else if (target.row && inner(target.row->type()).kind == TypeKind::Map && is_scalar_option(type))
    problem.what += "; a name in a flag holds no dot, but in a file it may";
}

Problem& FlagReader::report(const std::string& flag, const Key& key, Problem::Kind kind, std::string what) {
  Problem& problem = problems_.emplace_back();
  problem.kind = kind;
  problem.severity = Severity::Error;
  for (const Segment& segment : key.segments) problem.segments.push_back(spell(segment));
  problem.path = flag;
  problem.key = problem.segments.empty() ? std::string() : problem.segments.back();
  problem.origin.source = kCommandLine;
  problem.what = std::move(what);
  return problem;
}

}  // namespace

CommandLine read_flags(std::span<const std::string> arguments, const TypeInfo& root, Problems& problems) {
  return FlagReader(arguments, root, problems).read();
}

}  // namespace fairlead::schema
