#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::schema {

// Which grammar a node was written in: decides how lists are split and how a path is spelled in messages.
enum class Format : unsigned char { None, Label, Yaml, Toml, Json, Flag, Environment };

// Where a value stands, for messages. line and column count from 1; 0 means the source has no positions.
struct Origin {
  std::string source;  // "container shop-1", "/etc/fairlead/dynamic.yml", "command line", "environment"
  int line = 0;
  int column = 0;

  // "/etc/fairlead/dynamic.yml:4:7", or the source alone.
  std::string text() const;
};

// What all nodes of one label, flag or file share.
struct Place {
  std::string source;
  std::string label;  // the whole label, flag or variable as written; empty for files
  Format format = Format::None;
};

// The one tree into which labels, YAML, TOML, flags and environment are read.
//
// A scalar keeps its text verbatim; whoever reads it knows the type. Maps keep the order and the
// spelling of their keys. A node from labels or flags may have a value and children at once
// (`tls=true` beside `tls.certresolver=le`). Bounds on size and depth are the readers' business.
class Node {
 public:
  enum class Kind : unsigned char { Null, Scalar, Map, List };
  struct Entry;

  Node() = default;
  static Node scalar(std::string text);
  static Node map();
  static Node list();

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::Null; }
  bool is_scalar() const { return kind_ == Kind::Scalar; }
  bool is_map() const { return kind_ == Kind::Map; }
  bool is_list() const { return kind_ == Kind::List; }

  // The text of a scalar, or the value that a map or list carries besides its children.
  const std::string& text() const { return text_; }
  bool has_value() const { return has_value_; }
  void set_value(std::string text);  // turns Null into Scalar, keeps children
  void clear_value();

  // Children of a map (key as written) or of a list (key: the index as written, or empty).
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }
  std::size_t size() const;
  bool empty() const { return entries_.empty(); }
  void reserve(std::size_t n);

  // Exact key; null when there is none. Linear: meant for small maps.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  // Option names are compared without regard to case (ASCII).
  const Node* find_ignoring_case(std::string_view key) const;
  Node* find_ignoring_case(std::string_view key);

  // Appends without looking for the key; turns Null and Scalar into a map (a value is kept beside).
  Node& add(std::string key, Node value);
  Node& push(Node value);  // appends to a list
  // Finds ignoring case or appends an empty child.
  Node& child(std::string_view key);
  void become_map();
  void become_list();  // a map that becomes a list is kept as its first element
  void erase(std::string_view key);

  // Where it stands. A node without a place answers an empty origin.
  Origin origin() const;
  const std::string& source() const;
  const std::string& label() const;
  Format format() const;
  const std::shared_ptr<const Place>& place() const { return place_; }
  void set_place(std::shared_ptr<const Place> place, int line = 0, int column = 0);

  // Same kind, text and children in the same order; places do not count.
  bool operator==(const Node& other) const;

 private:
  Kind kind_ = Kind::Null;
  bool has_value_ = false;
  int line_ = 0;
  int column_ = 0;
  std::shared_ptr<const Place> place_;
  std::string text_;
  std::vector<Entry> entries_;
};

struct Node::Entry {
  std::string key;
  Node value;
};

// Lays `over` upon `base`: maps are merged by key (ignoring case), everything else of `over` replaces.
Node merge(Node base, Node over);

// ASCII only: option and router names are compared so, whatever the locale.
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string lower(std::string_view text);

}  // namespace fairlead::schema
