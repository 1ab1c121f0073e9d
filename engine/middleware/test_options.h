#pragma once

#include "engine/base/strings.h"
#include "engine/middleware/registry.h"

#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

// For unit tests only: middlewares as labels describe them.
namespace fairlead::test {

// `options({{"prefix", "/api"}, {"ipStrategy.depth", "1"}})`: what stands behind the type key of labels.
inline schema::Node options(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  auto place = std::make_shared<schema::Place>();
  place->source = "test";
  place->format = schema::Format::Label;
  schema::Node root = schema::Node::map();
  root.set_place(place);
  for (const auto& [key, value] : labels) {
    schema::Node* node = &root;
    if (!key.empty())
      for (const std::string_view segment : split(key, '.')) {
        node = &node->child(segment);
        node->set_place(place);
      }
    node->set_value(std::string(value));
  }
  return root;
}

// A middleware made by the registry, with a carry-over of its own.
struct Made {
  exchange::CarryOver carry_over;
  middleware::Making making{
      .name = "tested@docker", .carry_over = carry_over, .service = nullptr, .middleware = nullptr};
  Configured<middleware::MiddlewarePtr> result;

  Made(std::string_view type, std::initializer_list<std::pair<std::string_view, std::string_view>> labels)
      : Made(type, options(labels)) {}
  Made(std::string_view type, const schema::Node& node)
      : result(middleware::find(type)->make(node, making)) {}

  explicit operator bool() const { return result.has_value(); }
  const exchange::Middleware& operator*() const { return **result; }
  // "prefix: must start with a slash"; empty when it was made.
  std::string error() const {
    return result ? std::string() : result.error().path + ": " + result.error().what;
  }
};

}  // namespace fairlead::test
