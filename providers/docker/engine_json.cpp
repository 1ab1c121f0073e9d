#include "providers/docker/engine_json.h"

#include "engine/base/strings.h"

#include <string>
#include <utility>
#include <vector>

namespace fairlead::providers::docker {
namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 64;        // answers of engines nest less than ten deep
constexpr std::size_t kMaxComplaint = 200;  // bytes; json quotes the token it stopped at, however long

// Builds the document and leaves out what nests too deep. (The library's own filter looks through all members
// of an object after each of them: seconds for the ports that some images expose.)
class Document final : public json::json_sax_t {
 public:
  json document;
  std::string complaint;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (depth_ == open_.size()) member_ = &(*open_.back())[name];
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    complaint = quoted(error.what(), kMaxComplaint);
    return false;
  }

 private:
  json& place(json value) {
    if (open_.empty()) return document = std::move(value);
    json& parent = *open_.back();
    if (!parent.is_array()) return *member_ = std::move(value);
    parent.push_back(std::move(value));
    return parent.back();
  }

  bool put(json value) {
    if (depth_ == open_.size()) place(std::move(value));
    return true;
  }

  bool open(json container) {
    if (depth_ == open_.size() && depth_ < kDeepest) open_.push_back(&place(std::move(container)));
    ++depth_;
    return true;
  }

  bool close() {
    if (depth_-- == open_.size()) open_.pop_back();
    return true;
  }

  std::vector<json*> open_;  // containers around the next value, but for those that are too deep
  std::size_t depth_ = 0;    // of the next value, too deep ones included
  json* member_ = nullptr;   // where the value of the last key goes
};

}  // namespace

std::expected<json, std::string> parse_json(std::string_view text) try {
  Document builder;
  if (!json::sax_parse(text, &builder)) return std::unexpected(std::move(builder.complaint));
  return std::move(builder.document);
} catch (const json::exception& e) {
  return std::unexpected(quoted(e.what(), kMaxComplaint));
}

const json& member(const json& object, const char* key) {
  static const json none = json::object();
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? none : *found;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return {};
}

}  // namespace fairlead::providers::docker
