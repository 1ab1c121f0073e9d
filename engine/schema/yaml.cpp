#include "engine/base/strings.h"
#include "engine/schema/file.h"
#include "engine/schema/file_limits.h"
#include "engine/schema/yaml_remedy.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <charconv>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fairlead::schema {
namespace {

constexpr std::size_t kSmall = 16;

struct Failure {
  int line = 0;
  int column = 0;
  std::string what;
};

struct DiagDeleter {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};

// Builds nodes from libfyaml's events. Its document tree would be built only to be copied, and looks
// for duplicate keys in quadratic time.
class Builder {
 public:
  Builder(std::string_view text, std::shared_ptr<const Place> place) : place_(std::move(place)) {
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
    diag_.reset(fy_diag_create(&diag_config));
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg config{};
    config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DISABLE_BUFFERING | FYPCF_JSON_NONE);
    config.diag = diag_.get();
    parser_.reset(fy_parser_create(&config));
    fy_parser_set_string(parser_.get(), text.data(), text.size());
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  // False when the text is unusable; failure() then says why.
  bool document(Node& out);
  Failure failure() const;

 private:
  // An event that frees itself.
  class Event {
   public:
    Event(fy_parser* parser, fy_event* event) : parser_(parser), event_(event) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() {
      if (event_) fy_parser_event_free(parser_, event_);
    }
    fy_event* operator->() const { return event_; }
    explicit operator bool() const { return event_ != nullptr; }
    fy_event* get() const { return event_; }

   private:
    fy_parser* parser_;
    fy_event* event_;
  };

  Event next() { return Event(parser_.get(), fy_parser_parse(parser_.get())); }
  bool value(const Event& event, Node& out, std::size_t depth);
  bool scalar(const Event& event, Node& out);
  bool sequence(const Event& event, Node& out, std::size_t depth);
  bool mapping(const Event& event, Node& out, std::size_t depth);
  bool alias(const Event& event, Node& out);
  bool keys_differ(const Node& map, const std::vector<fy_mark>& late_keys);
  bool merge_in(Node& map, const Node& from);
  bool merge_one(Node& map, const Node& from);
  bool charge(const Node& copied, std::size_t depth);
  void remember(fy_token* anchor, const Node& node);
  bool fail(fy_token* token, std::string what);
  bool fail(int line, int column, std::string what);
  void place(Node& node, fy_token* token);

  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;
  std::shared_ptr<const Place> place_;
  std::unordered_map<std::string, Node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t alias_nodes_ = 0;
  std::size_t alias_bytes_ = 0;
  Failure failure_;
};

std::string_view text_of(fy_token* token) {
  std::size_t length = 0;
  const char* text = token ? fy_token_get_text(token, &length) : nullptr;
  return text ? std::string_view(text, length) : std::string_view();
}

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Integers that are not written in decimal, as Traefik's library reads them: 1_000, 0x1F, 0o17, 0b101. What
// only begins with a zero stays: 007 is more often meant as text than as octal.
std::optional<std::string> as_decimal(std::string_view text) {
  const std::string_view sign = text.starts_with('-') || text.starts_with('+') ? text.substr(0, 1) : "";
  text.remove_prefix(sign.size());
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  int base = 10;
  if (text.size() > 2 && text.front() == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
    if (base != 10) text.remove_prefix(2);
  }
  std::string digits(text);
  if (std::erase(digits, '_') == 0 && base == 10) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return fmt::format("{}{}", sign == "-" ? sign : "", value);
}

bool Builder::fail(int line, int column, std::string what) {
  if (failure_.what.empty()) failure_ = {line, column, std::move(what)};
  return false;
}

bool Builder::fail(fy_token* token, std::string what) {
  const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
  return fail(mark ? mark->line + 1 : 0, mark ? mark->column + 1 : 0, std::move(what));
}

void Builder::place(Node& node, fy_token* token) {
  const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
  node.set_place(place_, mark ? mark->line + 1 : 0, mark ? mark->column + 1 : 0);
}

// Of further documents, only empty ones are taken: a `---` at the end begins one.
bool Builder::document(Node& out) {
  int documents = 0;
  fy_mark begun{};
  while (const Event event = next()) {
    switch (event->type) {
      case FYET_STREAM_START:
      case FYET_STREAM_END:
      case FYET_DOCUMENT_END: break;
      case FYET_DOCUMENT_START:
        ++documents;
        if (const fy_mark* mark = fy_token_start_mark(event->document_start.document_start)) begun = *mark;
        break;
      default:
        Node further;
        if (!value(event, documents > 1 ? further : out, 0)) return false;
        if (!further.is_null())
          return fail(begun.line + 1, begun.column + 1, "more than one document in the file");
    }
  }
  return fy_parser_get_stream_error(parser_.get()) ? fail(0, 0, {}) : true;
}

bool Builder::value(const Event& event, Node& out, std::size_t depth) {
  if (!event) return false;
  fy_token* token = fy_event_get_token(event.get());
  if (depth > kMaxFileDepth) return fail(token, fmt::format("nested deeper than {} levels", kMaxFileDepth));
  if (++nodes_ > kMaxFileNodes) return fail(token, fmt::format("more than {} values", kMaxFileNodes));
  switch (event->type) {
    case FYET_SCALAR: return scalar(event, out);
    case FYET_SEQUENCE_START: return sequence(event, out, depth);
    case FYET_MAPPING_START: return mapping(event, out, depth);
    case FYET_ALIAS: return alias(event, out);
    default: return fail(token, "unexpected content");
  }
}

bool Builder::scalar(const Event& event, Node& out) {
  fy_token* token = event->scalar.value;
  const std::string_view text = text_of(token);
  const bool is_plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
  const bool resolves = is_plain && !event->scalar.tag;
  if (!(resolves && is_null_text(text)))
    out = Node::scalar((resolves ? as_decimal(text) : std::nullopt).value_or(std::string(text)));
  place(out, token);
  if (event->scalar.anchor) remember(event->scalar.anchor, out);
  return true;
}

bool Builder::sequence(const Event& start, Node& out, std::size_t depth) {
  out = Node::list();
  place(out, start->sequence_start.sequence_start);
  while (true) {
    const Event event = next();
    if (!event) return false;
    if (event->type == FYET_SEQUENCE_END) break;
    if (!value(event, out.push(Node()), depth + 1)) return false;
  }
  if (start->sequence_start.anchor) remember(start->sequence_start.anchor, out);
  return true;
}

bool Builder::mapping(const Event& start, Node& out, std::size_t depth) {
  out = Node::map();
  place(out, start->mapping_start.mapping_start);
  std::vector<fy_mark> late_keys;  // positions of the keys from kSmall on
  Node merged;
  while (true) {
    const Event key = next();
    if (!key) return false;
    if (key->type == FYET_MAPPING_END) break;
    if (key->type != FYET_SCALAR) return fail(fy_event_get_token(key.get()), "a key must be plain text");
    fy_token* token = key->scalar.value;
    std::string name(text_of(token));

    if (name == "<<" && token && fy_token_scalar_style(token) == FYSS_PLAIN) {
      if (!merged.is_null()) return fail(token, "the key `<<` is given twice; write `<<: [*a, *b]`");
      if (!value(next(), merged, depth + 1)) return false;
      continue;
    }
    if (out.size() >= kSmall) {
      const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
      late_keys.push_back(mark ? *mark : fy_mark{});
    } else if (out.find(name)) {
      return fail(token, fmt::format("the key `{}` is given twice", name));
    }
    if (!value(next(), out.add(std::move(name), Node()), depth + 1)) return false;
  }
  if (!late_keys.empty() && !keys_differ(out, late_keys)) return false;
  if (!merged.is_null() && !merge_in(out, merged)) return false;
  if (start->mapping_start.anchor) remember(start->mapping_start.anchor, out);
  return true;
}

// For maps that are too large to compare each key with all before it.
bool Builder::keys_differ(const Node& map, const std::vector<fy_mark>& late_keys) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(map.size());
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::string& key = map.entries()[i].key;
    if (seen.insert(key).second) continue;
    const fy_mark& mark = late_keys[i - kSmall];  // the small ones were compared already
    return fail(mark.line + 1, mark.column + 1, fmt::format("the key `{}` is given twice", key));
  }
  return true;
}

bool Builder::merge_in(Node& map, const Node& from) {
  if (from.is_map()) return merge_one(map, from);
  if (from.is_list()) {  // the first map that has a key gives its value
    for (const Node::Entry& entry : from.entries())
      if (!merge_one(map, entry.value)) return false;
    return true;
  }
  const Origin origin = from.origin();
  return fail(origin.line, origin.column, "`<<` takes a map or a list of maps");
}

bool Builder::merge_one(Node& map, const Node& from) {
  const Origin origin = from.origin();
  if (!from.is_map()) return fail(origin.line, origin.column, "`<<` takes a map or a list of maps");
  std::unordered_set<std::string_view> present;
  map.reserve(map.size() + from.size());  // so that the views stay valid
  for (const Node::Entry& entry : map.entries()) present.insert(entry.key);
  for (const Node::Entry& entry : from.entries())
    if (!present.contains(entry.key)) {
      if (!charge(entry.value, 0))
        return fail(origin.line, origin.column,
                    "aliases make this file too large: `<<` merges this map too often");
      map.add(entry.key, entry.value);
    }
  return true;
}

bool Builder::alias(const Event& event, Node& out) {
  const std::string name(text_of(event->alias.anchor));
  const auto found = anchors_.find(name);
  if (found == anchors_.end())
    return fail(event->alias.anchor, fmt::format("no anchor `&{}` before this alias", name));
  if (!charge(found->second, 0))
    return fail(
        event->alias.anchor,
        fmt::format("aliases make this file too large: there is no room for what `*{}` copies", name));
  out = found->second;  // keeps the positions of the anchored text, where a mistake is to be mended
  return true;
}

// Aliases of aliases grow exponentially ("billion laughs"): what they copy has a budget of its own.
bool Builder::charge(const Node& copied, std::size_t depth) {
  alias_bytes_ += copied.text().size();
  if (++alias_nodes_ > kFreeAliasNodes + kAliasNodesPerNode * nodes_ || alias_bytes_ > kMaxAliasBytes ||
      depth > kMaxFileDepth)
    return false;
  for (const Node::Entry& entry : copied.entries()) {
    alias_bytes_ += entry.key.size();
    if (!charge(entry.value, depth + 1)) return false;
  }
  return true;
}

void Builder::remember(fy_token* anchor, const Node& node) {
  anchors_.insert_or_assign(std::string(text_of(anchor)), node);
}

Failure Builder::failure() const {
  if (!failure_.what.empty()) return failure_;
  void* previous = nullptr;
  if (const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &previous))
    return {error->line, error->column, error->msg ? error->msg : "cannot be read"};
  return {0, 0, "cannot be read as YAML"};
}

bool opens_too_many(std::string_view text) {
  std::size_t open = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') {
      if (++open > kMaxOpenBrackets) return true;
    } else if ((c == ']' || c == '}') && open > 0) {
      --open;
    }
  }
  return false;
}

}  // namespace

Configured<Node> read_yaml(std::string_view text, const std::string& source, const Expand& expand) {
  std::string kept;
  auto prepared = prepare_text(text, source, expand, kept);
  if (!prepared) return std::unexpected(prepared.error());
  if (opens_too_many(*prepared))
    return misconfigured(source, fmt::format("more than {} brackets are open at once", kMaxOpenBrackets));

  auto place = std::make_shared<const Place>(Place{source, {}, Format::Yaml});
  Builder builder(*prepared, place);
  Node out;
  if (builder.document(out)) {
    if (out.is_null()) out.set_place(std::move(place));
    return out;
  }
  const Failure failure = builder.failure();
  return misconfigured(Origin{source, failure.line, failure.column}.text(),
                       failure.what + yaml_remedy(failure.what));
}

}  // namespace fairlead::schema
