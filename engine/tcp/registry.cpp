#include "engine/tcp/registry.h"

#include "engine/base/strings.h"
#include "engine/middleware/entry.h"
#include "engine/schema/json.h"
#include "engine/schema/read.h"
#include "engine/tcp/in_flight_conn.h"
#include "engine/tcp/ip_allow_list.h"

#include <algorithm>
#include <array>

namespace fairlead::tcp {
namespace {

template <class M>
std::shared_ptr<const void> read_options(const schema::Node& node, schema::Problems& problems) {
  auto options = std::make_shared<typename M::Options>();
  schema::read(node, *options, problems);
  return options;
}

template <class M>
Configured<MiddlewarePtr> make(const schema::Node& node, Making& making) {
  typename M::Options options{};
  schema::Problems problems;
  schema::read(node, options, problems);
  if (auto error = middleware::detail::sort_out(std::move(problems), making.notices))
    return std::unexpected(std::move(*error));
  making.options_hash = middleware::detail::hash_of(node);
  auto made = M::make(options, making);
  if (!made) return std::unexpected(std::move(made.error()));
  return MiddlewarePtr(std::move(*made));
}

template <class M>
constexpr Type entry(const char* name, const char* sentence, const char* replaced_by = nullptr) {
  return {.name = name,
          .sentence = sentence,
          .make = &make<M>,
          .read = &read_options<M>,
          .options_type = &schema::type_of<typename M::Options>,
          .replaced_by = replaced_by};
}

constexpr auto kTypes = std::to_array<Type>({
    entry<InFlightConn>("inFlightConn", "Limits how many connections of one client are open at once."),
    entry<IpAllowList>("ipAllowList", "Lets only certain client addresses connect."),
    entry<IpWhiteList>("ipWhiteList", "The old name of ipAllowList.", "ipAllowList"),
});

constexpr auto kNames = [] {
  std::array<std::string_view, kTypes.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kTypes[i].name;
  return names;
}();
static_assert(std::ranges::is_sorted(kNames), "the reference and the API list them in this order");

}  // namespace

std::span<const Type> types() { return kTypes; }

std::span<const std::string_view> type_names() { return kNames; }

const Type* find(std::string_view name) {
  const auto found = std::ranges::find_if(kTypes, [&](const Type& type) { return iequals(type.name, name); });
  return found == kTypes.end() ? nullptr : &*found;
}

std::string options_json(const model::Middleware& middleware) {
  const Type* type = find(middleware.type);
  if (!type) return schema::node_text(middleware.options);
  schema::Problems ignored;  // the element carries them as reasons
  const std::shared_ptr<const void> options = type->read(middleware.options, ignored);
  return schema::json_text(type->options_type(), options.get());
}

}  // namespace fairlead::tcp
