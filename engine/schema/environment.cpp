#include "engine/schema/environment.h"

#include "engine/schema/resolve.h"
#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>

namespace fairlead::schema {
namespace {

constexpr const char* kEnvironment = "environment";
constexpr std::size_t kMaxWords = 48;
constexpr std::size_t kMaxFile = 1u << 20;

Configured<std::string> read_whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return misconfigured(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::string text(kMaxFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return misconfigured(path, "cannot be read");
  if (text.size() > kMaxFile) return misconfigured(path, "is larger than 1 MiB");
  return text;
}

struct Name {
  std::string text;
  std::optional<std::string> index;
};

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The words of a variable matched against the table. Option names contain no `_`, so only free names
// leave a choice: the shortest that lets the rest resolve is taken.
class Matcher {
 public:
  // `enables`: the value is `true`, which says of a section no more than that it is there.
  Matcher(std::vector<std::string> words, bool enables) : words_(std::move(words)), enables_(enables) {}

  bool match(const TypeInfo& root) { return from(root, nullptr, 0, 0); }

  const std::vector<Name>& names() const { return names_; }
  const Target& target() const { return target_; }
  std::size_t furthest() const { return furthest_; }   // words that some reading understood
  const TypeInfo* stuck_in() const { return stuck_; }  // the struct that lacked the next word
  const std::vector<Name>& names_before() const { return before_; }

 private:
  bool from(const TypeInfo& type, const Option* row, std::size_t at, std::size_t depth);
  bool below_struct(const TypeInfo& type, std::size_t at, std::size_t depth);
  bool below_map(const TypeInfo& type, const Option* row, std::size_t at, std::size_t depth);

  std::vector<std::string> words_;
  bool enables_;
  std::vector<Name> names_;
  Target target_;
  std::size_t furthest_ = 0;
  const TypeInfo* stuck_ = nullptr;
  std::vector<Name> before_;
};

bool Matcher::from(const TypeInfo& type, const Option* row, std::size_t at, std::size_t depth) {
  if (at == words_.size()) {
    target_ = {&type, row, names_.size()};
    return true;
  }
  const TypeInfo& element = inner(type);
  if (element.kind == TypeKind::Struct) return below_struct(element, at, depth);
  if (element.kind == TypeKind::Map) return below_map(element, row, at, depth);
  if (element.kind == TypeKind::Raw) {
    for (std::size_t i = at; i < words_.size(); ++i) names_.push_back({words_[i], {}});
    target_ = {&element, row, names_.size()};
    return true;
  }
  return false;
}

bool Matcher::below_struct(const TypeInfo& type, std::size_t at, std::size_t depth) {
  if (at >= furthest_) {
    furthest_ = at;
    stuck_ = &type;
    before_ = names_;
  }
  std::string word = words_[at];
  Name name{word, {}};
  if (const std::size_t bracket = word.find('['); word.ends_with(']') && bracket != std::string::npos) {
    name.index = word.substr(bracket + 1, word.size() - bracket - 2);
    word.resize(bracket);
  }
  const Option* row = find_row(type, word);
  if (!row) return false;
  name.text = row->name;
  std::size_t next = at + 1;
  const bool is_list = row->type().kind == TypeKind::List;
  if (is_list && !name.index && next < words_.size() && is_number(words_[next])) name.index = words_[next++];
  names_.push_back(std::move(name));
  if (from(row->type(), row, next, depth + 1)) return true;
  names_.pop_back();
  return false;
}

bool Matcher::below_map(const TypeInfo& type, const Option* row, std::size_t at, std::size_t depth) {
  const bool may_have_value =
      inner(type.element()).kind != TypeKind::Struct || (row && row->traits.allow_empty);
  std::string free_name;
  for (std::size_t end = at + 1; end <= words_.size(); ++end) {
    free_name += (free_name.empty() ? "" : "_") + words_[end - 1];
    // A name that takes all words sets the element itself: a misspelt option must not become a name, and only
    // …_ENTRYPOINTS_WEB=true, which Traefik's manual has, cannot be one.
    if (end == words_.size() && !may_have_value && !(enables_ && end == at + 1)) return false;
    names_.push_back({free_name, {}});
    if (from(type.element(), row, end, depth + 1)) return true;
    names_.pop_back();
  }
  return false;
}

std::vector<std::string> split_words(std::string_view name) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t at = name.find('_');
    words.push_back(lower(name.substr(0, at)));
    if (at == std::string_view::npos) return words;
    name.remove_prefix(at + 1);
  }
}

// What Kubernetes sets in every pod for a Service named `fairlead` or `traefik`, and Docker for a linked
// container: …_SERVICE_HOST, …_SERVICE_PORT[_<name>], …_PORT=tcp://…, …_PORT_80_TCP[_ADDR], …_NAME=/a/b and
// …_ENV_<name>. Nobody wrote them, and no option is spelt so.
bool is_service_link(std::span<const std::string> words, std::string_view value) {
  const std::string& first = words.front();
  if (words.size() == 1 && first == "name") return value.starts_with('/');
  if (words.size() > 1 && first == "env") return true;
  const bool is_url =
      value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t behind = words.size() - i - 1;
    if (words[i] == "service" && behind >= 1 &&
        (words[i + 1] == "port" || (words[i + 1] == "host" && behind == 1)))
      return true;
    if (words[i] != "port") continue;
    if (behind == 0 && is_url) return true;
    if (behind >= 2 && is_number(words[i + 1]) &&
        (words[i + 2] == "tcp" || words[i + 2] == "udp" || words[i + 2] == "sctp"))
      return true;
  }
  return false;
}

class EnvironmentReader {
 public:
  EnvironmentReader(const Environment& environment, const TypeInfo& root, Problems& problems,
                    const ReadFile& read_file)
      : environment_(environment),
        root_(root),
        problems_(problems),
        read_file_(read_file ? read_file : read_whole_file),
        out_(Node::map()) {}

  void all(std::string_view prefix) {
    for (auto at = environment_.lower_bound(prefix);
         at != environment_.end() && at->first.starts_with(prefix); ++at)
      one(at->first, at->second, prefix);
  }

  Node take() {
    if (!links_.empty()) {
      const std::string others =
          links_.size() == 1 ? "was" : fmt::format("and {} more were", links_.size() - 1);
      report(links_.front(), Problem::Kind::Ignored,
             fmt::format("{} set by Kubernetes or Docker as service links, and not read as options", others))
          .severity = Severity::Notice;
    }
    return std::move(out_);
  }

 private:
  void one(const std::string& variable, const std::string& value, std::string_view prefix);
  void set(const std::string& variable, const Matcher& matcher, std::string value);
  void unknown(const std::string& variable, const Matcher& matcher, const std::vector<std::string>& words,
               std::string_view prefix);
  Problem& report(const std::string& variable, Problem::Kind kind, std::string what);

  const Environment& environment_;
  const TypeInfo& root_;
  Problems& problems_;
  ReadFile read_file_;
  Node out_;
  std::vector<std::string> links_;
};

void EnvironmentReader::one(const std::string& variable, const std::string& value, std::string_view prefix) {
  std::vector<std::string> words = split_words(std::string_view(variable).substr(prefix.size()));
  if (words.size() > kMaxWords || std::ranges::find(words, "") != words.end()) {
    report(variable, Problem::Kind::BadSyntax, "is no option: an underscore too many");
    return;
  }
  const bool enables = equal_ignoring_case(value, "true");
  Matcher matcher(words, enables);
  const bool found = matcher.match(root_);
  // `…_FILE` below a free name would also read as a longer name: a scalar option counts first.
  if (words.size() > 1 && words.back() == "file") {
    Matcher without_file(std::vector<std::string>(words.begin(), words.end() - 1), false);
    const bool is_better = !found || !is_scalar_option(*matcher.target().type);
    if (is_better && without_file.match(root_) && is_scalar_option(*without_file.target().type)) {
      auto text = read_file_(value);
      if (!text) {
        report(variable, Problem::Kind::BadValue,
               fmt::format("{}: {}", text.error().path, text.error().what));
        return;
      }
      if (text->ends_with('\n')) text->pop_back();
      if (text->ends_with('\r')) text->pop_back();
      const std::string beside = variable.substr(0, variable.size() - std::string_view("_FILE").size());
      if (environment_.contains(beside))
        report(beside, Problem::Kind::Ignored, fmt::format("does not count beside {}", variable)).severity =
            Severity::Notice;
      return set(variable, without_file, std::move(*text));
    }
  }
  if (!found && is_service_link(words, value)) {
    links_.push_back(variable);
    return;
  }
  if (!found) return unknown(variable, matcher, words, prefix);
  set(variable, matcher, value);
}

void EnvironmentReader::set(const std::string& variable, const Matcher& matcher, std::string value) {
  const auto place = std::make_shared<const Place>(Place{kEnvironment, variable, Format::Environment});
  std::vector<Segment> segments;
  for (const Name& name : matcher.names())
    segments.push_back({name.text, name.index ? std::optional<std::string_view>(*name.index) : std::nullopt});
  if (const TypeInfo& type = *matcher.target().type;
      value.empty() && type.kind == TypeKind::List && is_scalar_option(type)) {
    descend_to_section(out_, segments, place);
    return;
  }
  Node& node = descend(out_, segments, place);
  node.set_value(std::move(value));
  node.set_place(place);
}

void EnvironmentReader::unknown(const std::string& variable, const Matcher& matcher,
                                const std::vector<std::string>& words, std::string_view prefix) {
  Problem& problem = report(variable, Problem::Kind::UnknownKey,
                            fmt::format("unknown variable: what begins with {} is taken for an option, so "
                                        "correct it or unset it",
                                        prefix));
  problem.segments = words;
  if (!matcher.stuck_in()) return;
  std::string rest;
  for (std::size_t i = matcher.furthest(); i < words.size(); ++i)
    rest += (rest.empty() ? "" : ".") + words[i];
  const std::string nearest = nearest_option(*matcher.stuck_in(), rest, false);
  if (nearest.empty()) return;
  std::string spelling;
  for (const Name& name : matcher.names_before())
    spelling += name.text + (name.index ? "_" + *name.index : "") + '_';
  spelling += nearest;
  for (char& c : spelling) {
    if (c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  // A section of its own cannot have a value.
  if (std::string suggestion = std::string(prefix) + spelling; suggestion != variable)
    problem.suggestion = std::move(suggestion);
  else
    problem.what = "is a section: one of its options can be set";
}

Problem& EnvironmentReader::report(const std::string& variable, Problem::Kind kind, std::string what) {
  Problem& problem = problems_.emplace_back();
  problem.kind = kind;
  problem.severity = Severity::Error;
  problem.path = variable;
  problem.key = variable;
  problem.origin.source = kEnvironment;
  problem.what = std::move(what);
  return problem;
}

}  // namespace

Environment environment_of_process() {
  Environment out;
  for (char** at = environ; at && *at; ++at) {
    const std::string_view line = *at;
    if (const std::size_t equals = line.find('='); equals != std::string_view::npos)
      out.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

Node read_environment(const Environment& environment, const TypeInfo& root, Problems& problems,
                      const ReadFile& read_file) {
  EnvironmentReader reader(environment, root, problems, read_file);
  reader.all("TRAEFIK_");
  reader.all("FAIRLEAD_");
  return reader.take();
}

}  // namespace fairlead::schema
