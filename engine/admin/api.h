#pragma once

#include "engine/admin/dashboard.h"
#include "engine/admin/view.h"
#include "engine/exchange/service.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::admin {

// What an API call is about.
struct ApiQuery {
  std::vector<std::string> segments;  // of the path below /api, decoded: {"http", "routers", "web@docker"}
  std::string parameters;             // the query, still escaped
};

struct ApiAnswer {
  int status = 200;
  std::string body;
  int next_page = 0;         // X-Next-Page; 0: no list
  std::string archive = {};  // its file name, when the body is one

  // {"message":"…"}, as Traefik says what is wrong.
  static ApiAnswer error(int status, std::string_view message);
  bool is_json() const { return status == 200; }
};

// Answers one call. Takes time with many routers: for a thread of Offload.
ApiAnswer answer_api(const ApiQuery& query, const AdminView& view, const Sources& sources);

// api@internal: Traefik's read-only JSON API, under api.basePath. With api.dashboard also the dashboard, so
// that one router of a user serves both.
class Api final : public exchange::Service {
 public:
  explicit Api(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)), dashboard_(sources_) {}
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::shared_ptr<const Sources> sources_;
  Dashboard dashboard_;
};

// Removes api.basePath from the front of a path; nothing when it does not stand there.
std::optional<std::string_view> below_base(std::string_view path, const AdminView& view);

}  // namespace fairlead::admin
