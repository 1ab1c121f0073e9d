#include "engine/schema/node.h"

#include <algorithm>
#include <unordered_map>

namespace fairlead::schema {
namespace {

constexpr char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

const std::string kNothing;

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // From the end: names beside each other mostly begin alike.
  for (std::size_t i = a.size(); i-- > 0;)
    if (a[i] != b[i] && lowered(a[i]) != lowered(b[i])) return false;
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lowered(c);
  return out;
}

std::string Origin::text() const {
  if (line == 0) return source;
  return source + ':' + std::to_string(line) + ':' + std::to_string(column);
}

Node Node::scalar(std::string text) {
  Node node;
  node.kind_ = Kind::Scalar;
  node.has_value_ = true;
  node.text_ = std::move(text);
  return node;
}

Node Node::map() {
  Node node;
  node.kind_ = Kind::Map;
  return node;
}

Node Node::list() {
  Node node;
  node.kind_ = Kind::List;
  return node;
}

void Node::set_value(std::string text) {
  if (kind_ == Kind::Null) kind_ = Kind::Scalar;
  has_value_ = true;
  text_ = std::move(text);
}

void Node::clear_value() {
  if (kind_ == Kind::Scalar) kind_ = Kind::Null;
  has_value_ = false;
  text_.clear();
}

std::size_t Node::size() const { return entries_.size(); }

void Node::reserve(std::size_t n) { entries_.reserve(n); }

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries_)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Node* Node::find_ignoring_case(std::string_view key) const {
  for (const Entry& entry : entries_)
    if (equal_ignoring_case(entry.key, key)) return &entry.value;
  return nullptr;
}

Node* Node::find_ignoring_case(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find_ignoring_case(key));
}

Node& Node::add(std::string key, Node value) {
  if (kind_ != Kind::Map) become_map();
  return entries_.emplace_back(std::move(key), std::move(value)).value;
}

Node& Node::push(Node value) {
  if (kind_ != Kind::List) become_list();
  return entries_.emplace_back(std::string(), std::move(value)).value;
}

Node& Node::child(std::string_view key) {
  if (Node* found = find_ignoring_case(key)) return *found;
  return add(std::string(key), Node());
}

void Node::become_map() { kind_ = Kind::Map; }

void Node::become_list() {
  if (kind_ == Kind::List) return;
  if (kind_ == Kind::Map && !entries_.empty()) {
    Node first = Node::map();
    first.entries_ = std::move(entries_);
    first.place_ = place_;
    first.line_ = line_;
    first.column_ = column_;
    entries_.clear();
    entries_.emplace_back(std::string(), std::move(first));
  }
  kind_ = Kind::List;
}

void Node::erase(std::string_view key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
}

Origin Node::origin() const { return {source(), line_, column_}; }

const std::string& Node::source() const { return place_ ? place_->source : kNothing; }

const std::string& Node::label() const { return place_ ? place_->label : kNothing; }

Format Node::format() const { return place_ ? place_->format : Format::None; }

void Node::set_place(std::shared_ptr<const Place> place, int line, int column) {
  place_ = std::move(place);
  line_ = line;
  column_ = column;
}

bool Node::operator==(const Node& other) const {
  return kind_ == other.kind_ && has_value_ == other.has_value_ && text_ == other.text_ &&
         std::ranges::equal(entries_, other.entries_, [](const Entry& a, const Entry& b) {
           return a.key == b.key && a.value == b.value;
         });
}

Node merge(Node base, Node over) {
  if (over.is_null()) return base;
  if (base.is_map() &&
      over.is_scalar()) {  // `--api` upon `api: {dashboard: true}`: the value decides, children stay
    base.set_value(over.text());
    const Origin origin = over.origin();
    base.set_place(over.place(), origin.line, origin.column);
    return base;
  }
  if (!base.is_map() || !over.is_map()) return over;
  base.clear_value();
  if (over.has_value()) base.set_value(over.text());

  // Few keys lie over many or many over few: an index keeps both linear.
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < base.size(); ++i) index.emplace(lower(base.entries()[i].key), i);
  for (Node::Entry& entry : over.entries()) {
    const auto [found, is_new] = index.emplace(lower(entry.key), base.size());
    if (is_new) {
      base.add(std::move(entry.key), std::move(entry.value));
    } else {
      Node::Entry& below = base.entries()[found->second];
      // Variables are written in capitals: a name is meant as whoever can choose its case spells it.
      if (below.value.format() == Format::Environment && entry.value.format() != Format::Environment)
        below.key = std::move(entry.key);
      below.value = merge(std::move(below.value), std::move(entry.value));
    }
  }
  return base;
}

}  // namespace fairlead::schema
