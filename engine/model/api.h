#pragma once

#include "engine/model/checks.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <string>

namespace fairlead::model {

struct Api {
  std::string base_path = "/";
  bool insecure = false;
  bool dashboard = true;
  bool debug = false;
  bool disable_dashboard_ad = false;
  std::string dashboard_name;

  bool operator==(const Api&) const = default;
};

struct Ping {
  std::string entry_point = "traefik";
  bool manual_routing = false;
  std::int64_t terminating_status_code = 503;

  bool operator==(const Ping&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Api> = table(
    option<&model::Api::base_path>("basePath", "Path under which API and dashboard are found.",
                                   {.check = model::base_path, .tier = Tier::T2}),
    option<&model::Api::insecure>(
        "insecure", "Serve API and dashboard on the entry point `traefik`, without a password."),
    option<&model::Api::dashboard>("dashboard", "Serve the dashboard."),
    option<&model::Api::debug>("debug", "Serve /debug.", {.tier = Tier::T2}),
    option<&model::Api::disable_dashboard_ad>("disableDashboardAd", "No advertisement in the dashboard.",
                                              {.tier = Tier::T3}),
    option<&model::Api::dashboard_name>("dashboardName", "Name shown by the dashboard.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::Api>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Ping> =
    table(option<&model::Ping::entry_point>("entryPoint", "Entry point that serves /ping."),
          option<&model::Ping::manual_routing>("manualRouting", "No router; only the service ping@internal.",
                                               {.tier = Tier::T2}),
          option<&model::Ping::terminating_status_code>("terminatingStatusCode", "Status while stopping.",
                                                        {.check = model::status_code, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::Ping>());
