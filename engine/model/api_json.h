#pragma once

#include "engine/model/dynamic.h"
#include "engine/model/usage.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The elements of a merged and validated configuration as Traefik's API shows them, as JSON text. Beside
// Traefik's fields stands `reasons`, each with kind, text, hint and whether it breaks, and for services
// `standings`. Paging, filtering and paths are the business of whoever serves them.
namespace fairlead::model {

struct EntryPoint;
struct Static;

// What checks found about a server that is out.
struct ServerIllness {
  std::string reason;
  std::chrono::system_clock::time_point since{};
};

enum class Layer : unsigned char { Http, Tcp };

// What only higher rooms know.
struct ApiContext {
  const Usage& usage;
  // The options of a middleware as a JSON object; without it they are left out, since only the middleware
  // knows which of them are secret.
  std::function<std::string(const Middleware&, Layer)> middleware_options;
  // Whether a server is up by health checks; empty: as its provider says.
  std::function<std::optional<bool>(std::string_view service, std::string_view url)> server_up;
  // Why it is not; empty: nothing is told.
  std::function<std::optional<ServerIllness>(std::string_view service, std::string_view url)> illness = {};
  // What else is wrong with a router, as is found while it serves; empty: nothing.
  std::function<std::vector<Reason>(Layer, const std::string& router)> more_reasons = {};
  // HTTP routers with what their entry points add; null: as they are configured.
  const std::map<std::string, Element<HttpRouter>>* served_routers = nullptr;
};

// "enabled", "warning" or "disabled".
template <class T>
std::string_view status(const Element<T>& element) {
  if (element.broken()) return "disabled";
  return element.reasons.empty() ? "enabled" : "warning";
}

std::string api_json(const std::string& name, const Element<HttpRouter>& router, const ApiContext& context);
std::string api_json(const std::string& name, const Element<TcpRouter>& router, const ApiContext& context);
std::string api_json(const std::string& name, const Element<UdpRouter>& router, const ApiContext& context);

// `standings` are those of this service; null when there are none.
std::string api_json(const std::string& name, const Element<HttpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context);
std::string api_json(const std::string& name, const Element<TcpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context);
std::string api_json(const std::string& name, const Element<UdpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context);

std::string api_json(const std::string& name, const Element<Middleware>& middleware, Layer layer,
                     const ApiContext& context);

std::string api_json(const std::string& name, const EntryPoint& entry_point);

// The body of /api/overview but for `certificates`, and of /api/rawdata.
std::string overview_json(const Dynamic& dynamic, const Static& install, const ApiContext& context);
std::string rawdata_json(const Dynamic& dynamic, const ApiContext& context);

}  // namespace fairlead::model
