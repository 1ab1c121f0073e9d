#include "engine/base/strings.h"
#include "providers/normalize.h"
#include "providers/template_nodes.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace fairlead::providers::functions {
namespace {

using Arguments = std::span<const TemplateValue>;

constexpr std::size_t kMaxText = 1 << 20;  // bytes of one value; a template must not grow without bound
constexpr int kMaxWidth = 256;             // of a printf verb

const std::string* string_of(const TemplateValue& value) { return std::get_if<std::string>(&value.is); }

Outcome wrong(std::string_view function, std::string_view what) {
  return std::unexpected(fmt::format("{}: {}", function, what));
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) return text;
  std::string out;
  std::size_t at = 0;
  for (std::size_t hit; (hit = text.find(from, at)) != std::string::npos; at = hit + from.size()) {
    out.append(text, at, hit - at).append(to);
    if (out.size() > kMaxText) break;
  }
  return out.append(text, at);
}

// Go's Regexp.Expand: $1, ${1}, $name, $$; an unknown group is empty.
std::string expand(std::string_view form, const RE2& regex, std::span<const re2::StringPiece> groups) {
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '$') {
      out += form[i];
      continue;
    }
    if (i + 1 < form.size() && form[i + 1] == '$') {
      out += form[++i];
      continue;
    }
    const bool braced = i + 1 < form.size() && form[i + 1] == '{';
    const std::size_t begin = i + 1 + braced;
    std::size_t end = begin;
    while (end < form.size() && (is_alpha(form[end]) || is_digit(form[end]) || form[end] == '_')) ++end;
    if (end == begin || (braced && (end == form.size() || form[end] != '}'))) {
      out += '$';
      continue;
    }
    const std::string name(form.substr(begin, end - begin));
    std::size_t index = groups.size();
    if (const auto number = parse_digits(name)) {
      index = *number;
    } else if (const auto found = regex.NamedCapturingGroups().find(name);
               found != regex.NamedCapturingGroups().end()) {
      index = static_cast<std::size_t>(found->second);
    }
    if (index < groups.size()) out.append(groups[index].data(), groups[index].size());
    i = braced ? end : end - 1;
  }
  return out;
}

// Where the UTF-8 sequence that begins at `at` ends; one behind the end of the text.
std::size_t next_rune(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return at;
}

Outcome regex_replace_all(Arguments a) {
  const RE2 regex(*string_of(a[0]), RE2::Quiet);
  if (!regex.ok()) return wrong("regexReplaceAll", regex.error());
  const std::string& text = *string_of(a[1]);
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  std::string out;
  std::size_t at = 0, copied = 0;
  while (
      at <= text.size() && out.size() <= kMaxText &&
      regex.Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    const std::size_t begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    out.append(text.data() + copied, begin - copied);
    // As in Go: an empty match right behind another match is none.
    if (end > copied || begin == 0) out += expand(*string_of(a[2]), regex, groups);
    copied = end;
    at = std::max(end, next_rune(text, at));
  }
  return TemplateValue{out.append(text.data() + copied, text.size() - copied)};
}

// One verb of printf, from the '%' on; appends to `out`. Empty when it is well formed.
std::string format_verb(std::string_view spec, const TemplateValue& value, std::string& out) {
  const char verb = spec.back();
  std::string flags(spec.substr(1, spec.size() - 2));
  std::string text;
  if (verb == 'd' || verb == 'x') {
    const auto* number = std::get_if<std::int64_t>(&value.is);
    if (number == nullptr) return fmt::format("%{} needs a number", verb);
    text = verb == 'd' ? fmt::format("{}", *number) : fmt::format("{:x}", *number);
  } else if (verb == 'q') {
    text = quoted(value.text(), kMaxText);
  } else {
    text = value.text();
  }
  const bool left = flags.starts_with('-');
  const bool zero = flags.starts_with('0') && verb != 's';
  if (left) flags.erase(0, 1);
  const auto width = flags.empty() ? std::optional<std::uint64_t>(0) : parse_digits(flags);
  if (!width || *width > kMaxWidth) return fmt::format("\"{}\" is not supported", spec);
  const std::size_t fill = text.size() < *width ? *width - text.size() : 0;
  out += left ? text + std::string(fill, ' ') : std::string(fill, zero ? '0' : ' ') + text;
  return {};
}

Outcome print_formatted(Arguments a) {
  const std::string_view form = *string_of(a[0]);
  std::string out;
  std::size_t next = 1;
  for (std::size_t i = 0; i < form.size() && out.size() <= kMaxText; ++i) {
    if (form[i] != '%') {
      out += form[i];
      continue;
    }
    const std::size_t end = form.find_first_not_of("-0123456789", i + 1);
    if (end == std::string_view::npos) return wrong("printf", "the format ends inside a verb");
    if (form[end] == '%') {
      out += '%';
    } else if (std::string_view("sdvqx").find(form[end]) == std::string_view::npos) {
      return wrong("printf", fmt::format("%{} is not supported", form[end]));
    } else if (next == a.size()) {
      return wrong("printf", "more verbs than arguments");
    } else if (auto bad = format_verb(form.substr(i, end - i + 1), a[next++], out); !bad.empty()) {
      return wrong("printf", bad);
    }
    i = end;
  }
  if (next != a.size()) return wrong("printf", "more arguments than verbs");
  return TemplateValue{std::move(out)};
}

// Of a list: 1, or "_1" as in the map that sprig's split yields.
std::optional<std::uint64_t> position(const TemplateValue& key) {
  if (const auto* number = std::get_if<std::int64_t>(&key.is))
    return *number < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*number));
  const std::string* name = string_of(key);
  return name != nullptr && name->starts_with('_') ? parse_digits(std::string_view(*name).substr(1))
                                                   : std::nullopt;
}

Outcome index_into(Arguments a) {
  TemplateValue value = a[0];
  for (const TemplateValue& key : a.subspan(1)) {
    if (const auto* map = std::get_if<TemplateMap>(&value.is)) {
      const std::string* name = string_of(key);
      if (name == nullptr) return wrong("index", "a map is indexed by a string");
      const auto found = map->find(*name);
      value = TemplateValue{found == map->end() ? std::string() : found->second};  // Go: the zero value
    } else if (const auto* list = std::get_if<TemplateList>(&value.is)) {
      const auto at = position(key);
      if (!at || *at >= list->size())
        return wrong("index", fmt::format("{} is out of range of {} parts", key.text(), list->size()));
      std::string part = (*list)[*at];
      value = TemplateValue{std::move(part)};
    } else {
      return wrong("index", "only maps and lists can be indexed");
    }
  }
  return value;
}

Outcome split_text(Arguments a) {
  const std::string& separator = *string_of(a[0]);
  const std::string& text = *string_of(a[1]);
  if (separator.empty()) return wrong("split", "the separator is empty");
  TemplateList parts;
  std::size_t at = 0;
  for (std::size_t hit; (hit = text.find(separator, at)) != std::string::npos; at = hit + separator.size())
    parts.push_back(text.substr(at, hit - at));
  parts.push_back(text.substr(at));
  return TemplateValue{std::move(parts)};
}

Outcome trim_prefix(Arguments a) {
  std::string text = *string_of(a[1]);
  if (text.starts_with(*string_of(a[0]))) text.erase(0, string_of(a[0])->size());
  return TemplateValue{std::move(text)};
}

Outcome trim_suffix(Arguments a) {
  std::string text = *string_of(a[1]);
  if (text.ends_with(*string_of(a[0]))) text.resize(text.size() - string_of(a[0])->size());
  return TemplateValue{std::move(text)};
}

// Go's text/template: the first argument that decides, else the last.
Outcome decide(Arguments a, bool when) {
  for (const TemplateValue& value : a)
    if (value.truth() == when) return value;
  return a.back();
}

// A label that is absent differs from every text, and is no mistake, as in Go.
bool absent(const TemplateValue& value) { return std::holds_alternative<std::monostate>(value.is); }

Outcome equal_to_any(Arguments a) {
  for (const TemplateValue& other : a.subspan(1)) {
    if (other.is.index() != a[0].is.index()) {
      if (absent(a[0]) || absent(other)) continue;
      return wrong("eq", fmt::format("{} and {} are of different types", a[0].text(), other.text()));
    }
    if (other.is == a[0].is) return TemplateValue{true};
  }
  return TemplateValue{false};
}

Outcome negated(Outcome value) {
  if (!value) return value;
  return TemplateValue{!value->truth()};
}

Outcome join_parts(Arguments a) {
  const auto* parts = std::get_if<TemplateList>(&a[1].is);
  const std::string* separator = string_of(a[0]);
  if (parts == nullptr || separator == nullptr) return wrong("join", "needs a separator and a list");
  return TemplateValue{join(*parts, *separator)};
}

Outcome part_at_end(Arguments a, bool last) {
  const auto* parts = std::get_if<TemplateList>(&a[0].is);
  if (parts == nullptr) return wrong(last ? "last" : "first", fmt::format("{} is no list", a[0].text()));
  if (parts->empty()) return TemplateValue{};
  return TemplateValue{last ? parts->back() : parts->front()};
}

Outcome trim_space(Arguments a) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::string& text = *string_of(a[0]);
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return TemplateValue{text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin)};
}

// Of this process; empty when it is not set, as in sprig.
Outcome variable(Arguments a) {
  const char* value = std::getenv(string_of(a[0])->c_str());
  return TemplateValue{std::string(value == nullptr ? "" : value)};
}

struct Function {
  std::string_view name;
  std::size_t least, most;  // arguments
  bool strings;             // all arguments must be strings
  Outcome (*run)(Arguments);
};

// Argument orders as in sprig: what is worked on comes last, so that it can be piped in.
constexpr std::size_t kMany = 16;
const std::array kFunctions = {
    Function{"normalize", 1, 1, true,
             [](Arguments a) -> Outcome { return TemplateValue{normalize(*string_of(a[0]))}; }},
    Function{"index", 1, kMany, false, index_into},
    Function{"replace", 3, 3, true,
             [](Arguments a) -> Outcome {
               return TemplateValue{replace_all(*string_of(a[2]), *string_of(a[0]), *string_of(a[1]))};
             }},
    Function{"trimPrefix", 2, 2, true, trim_prefix},
    Function{"trimSuffix", 2, 2, true, trim_suffix},
    Function{"lower", 1, 1, true,
             [](Arguments a) -> Outcome { return TemplateValue{lower(*string_of(a[0]))}; }},
    Function{"upper", 1, 1, true,
             [](Arguments a) -> Outcome { return TemplateValue{upper(*string_of(a[0]))}; }},
    Function{"split", 2, 2, true, split_text},
    Function{"splitList", 2, 2, true, split_text},
    Function{"join", 2, 2, false, join_parts},
    Function{"first", 1, 1, false, [](Arguments a) -> Outcome { return part_at_end(a, false); }},
    Function{"last", 1, 1, false, [](Arguments a) -> Outcome { return part_at_end(a, true); }},
    Function{"trim", 1, 1, true, trim_space},
    Function{
        "contains", 2, 2, true,
        [](Arguments a) -> Outcome { return TemplateValue{string_of(a[1])->contains(*string_of(a[0]))}; }},
    Function{
        "hasPrefix", 2, 2, true,
        [](Arguments a) -> Outcome { return TemplateValue{string_of(a[1])->starts_with(*string_of(a[0]))}; }},
    Function{
        "hasSuffix", 2, 2, true,
        [](Arguments a) -> Outcome { return TemplateValue{string_of(a[1])->ends_with(*string_of(a[0]))}; }},
    Function{"eq", 2, kMany, false, equal_to_any},
    Function{"ne", 2, 2, false, [](Arguments a) -> Outcome { return negated(equal_to_any(a)); }},
    Function{"and", 1, kMany, false, [](Arguments a) -> Outcome { return decide(a, false); }},
    Function{"or", 1, kMany, false, [](Arguments a) -> Outcome { return decide(a, true); }},
    Function{"not", 1, 1, false, [](Arguments a) -> Outcome { return TemplateValue{!a[0].truth()}; }},
    Function{"coalesce", 1, kMany, false,
             [](Arguments a) -> Outcome {
               for (const TemplateValue& value : a)
                 if (value.truth()) return value;
               return TemplateValue{};
             }},
    Function{"env", 1, 1, true, variable},
    Function{"printf", 1, kMany, false, print_formatted},
    Function{"regexReplaceAll", 3, 3, true, regex_replace_all},
    Function{"default", 2, 2, false, [](Arguments a) -> Outcome { return a[1].truth() ? a[1] : a[0]; }},
};

const Function* find(std::string_view name) {
  for (const Function& f : kFunctions)
    if (f.name == name) return &f;
  return nullptr;
}

}  // namespace

bool known(std::string_view name) { return find(name) != nullptr; }

Outcome call(std::string_view name, Arguments arguments) {
  const Function* f = find(name);
  if (f == nullptr) return wrong(name, "is not supported");
  if (arguments.size() < f->least || arguments.size() > f->most)
    return wrong(name, fmt::format("takes {} arguments, got {}", f->least, arguments.size()));
  if (name == "printf" && string_of(arguments[0]) == nullptr)
    return wrong(name, "the format must be a string");
  if (f->strings)
    for (const TemplateValue& a : arguments)
      if (string_of(a) == nullptr) return wrong(name, fmt::format("{} is no string", a.text()));
  Outcome out = f->run(arguments);
  if (out && out->text().size() > kMaxText) return wrong(name, "the result is larger than 1 MiB");
  return out;
}

std::string list() {
  std::string out;
  for (const Function& f : kFunctions) out += (out.empty() ? "" : ", ") + std::string(f.name);
  return out;
}

}  // namespace fairlead::providers::functions
