#include "engine/admin/api_list.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/model/merge.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <ranges>

namespace fairlead::admin {
namespace {

using nlohmann::json;

// "web@docker" fits "web@docker", and "web" what any provider calls so.
bool names_same(std::string_view wanted, std::string_view name) {
  return wanted == name || (wanted.find('@') == std::string_view::npos && model::split(name).name == wanted);
}

bool contains_ignoring_case(std::string_view text, std::string_view lower_part) {
  return lower(text).find(lower_part) != std::string::npos;
}

// What a list is sorted by when it is not the name: numbers by value, all else as text.
json sort_key(const ListItem& item, const std::string& by) {
  if (by == "provider") return std::string(model::split(item.name).provider);
  if (by == "status") return std::string(item.status);
  const json element = json::parse(item.json(), nullptr, false);
  if (by == "entryPoints") return element.value("entryPoints", json::array()).size();
  if (by == "validUntil") return element.value("notAfter", "");  // times of one form sort as text
  if (by == "issuer") return element.value("issuerOrg", element.value("issuerCN", ""));
  if (by == "servers") return element.value("/loadBalancer/servers"_json_pointer, json::array()).size();
  return element.contains(by) ? element[by] : json(nullptr);
}

void sort(std::vector<ListItem>& items, const ListQuery& query) {
  std::ranges::sort(items, {}, &ListItem::name);
  if (query.sort_by == "name") {
    if (query.descending) std::ranges::reverse(items);
    return;
  }
  std::vector<std::pair<json, std::size_t>> order;
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(sort_key(items[i], query.sort_by), i);
  std::ranges::sort(order);
  if (query.descending) std::ranges::reverse(order);  // names of equals too
  std::vector<ListItem> sorted;
  sorted.reserve(items.size());
  for (const auto& [key, index] : order) sorted.push_back(std::move(items[index]));
  items = std::move(sorted);
}

}  // namespace

std::expected<ListQuery, std::string> ListQuery::parse(std::string_view parameters) {
  ListQuery out;
  for (const auto& [escaped_key, escaped_value] : http::QueryParameters(parameters)) {
    const auto key = http::decode_query(escaped_key);
    const auto value = http::decode_query(escaped_value);
    if (!key || !value) continue;
    if ((*key == "page" || *key == "per_page") && !value->empty()) {
      const auto number = parse_digits(*value);
      if (!number || *number == 0 || *number > std::numeric_limits<int>::max())
        return std::unexpected(fmt::format("invalid request: {}: {}", *key, *value));
      (*key == "page" ? out.page : out.per_page) = static_cast<int>(*number);
    }
    if (*key == "search") out.search = lower(*value);
    if (*key == "status") out.status = *value;
    if (*key == "serviceName") out.service_name = *value;
    if (*key == "middlewareName") out.middleware_name = *value;
    if (*key == "sortBy" && !value->empty()) out.sort_by = *value;
    if (*key == "direction") out.descending = !value->empty() && *value != "asc";
  }
  return out;
}

bool ListQuery::wants(const ListItem& item) const {
  if (!status.empty() && !iequals(status, item.status)) return false;
  if (!service_name.empty() && !names_same(service_name, item.service)) return false;
  if (!middleware_name.empty() && std::ranges::none_of(item.middlewares, [this](const std::string& name) {
        return names_same(middleware_name, name);
      }))
    return false;
  return search.empty() || contains_ignoring_case(item.name, search) ||
         contains_ignoring_case(item.searched, search);
}

ApiAnswer list(std::vector<ListItem> items, std::string_view parameters) {
  const auto query = ListQuery::parse(parameters);
  if (!query) return ApiAnswer::error(400, query.error());
  std::erase_if(items, [&](const ListItem& item) { return !query->wants(item); });
  sort(items, *query);
  const std::size_t per_page = static_cast<std::size_t>(query->per_page);
  const std::size_t first = (static_cast<std::size_t>(query->page) - 1) * per_page;
  if (first != 0 && first >= items.size())
    return ApiAnswer::error(
        400, fmt::format("invalid request: page: {}, per_page: {}", query->page, query->per_page));
  const std::size_t end = std::min(first + per_page, items.size());
  ApiAnswer out{.status = 200, .body = "[", .next_page = end < items.size() ? query->page + 1 : 1};
  for (std::size_t i = first; i < end; ++i) {
    if (i != first) out.body += ',';
    out.body += items[i].json();
  }
  out.body += ']';
  return out;
}

}  // namespace fairlead::admin
