#pragma once

#include "engine/admin/api.h"
#include "engine/base/result.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::admin {

// An element of a list before it is written.
struct ListItem {
  std::string_view name;
  std::string_view status;
  std::string_view searched;  // what `search` looks into beside the name: the rule of a router
  std::string_view service;   // of routers
  std::span<const std::string> middlewares = {};  // of routers
  std::function<std::string()> json;
};

// Which part of a list is wanted: page and per_page, search, status, serviceName, middlewareName, sortBy and
// direction, as in Traefik.
struct ListQuery {
  int page = 1;
  int per_page = 100;
  std::string search;  // lower case
  std::string status;
  std::string service_name;
  std::string middleware_name;
  std::string sort_by = "name";
  bool descending = false;

  // The message of a 400 when page or per_page is no positive number.
  static std::expected<ListQuery, std::string> parse(std::string_view parameters);
  bool wants(const ListItem& item) const;
};

// The page of the list as JSON array; 400 for a page behind the end.
ApiAnswer list(std::vector<ListItem> items, std::string_view parameters);

}  // namespace fairlead::admin
