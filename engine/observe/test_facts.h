#pragma once

#include "engine/http/fields.h"
#include "engine/observe/facts.h"

#include <string_view>

namespace fairlead::test {

// For unit tests only: an exchange that ended well, at 2023-11-14 22:13:20.0125 UTC, after 12 ms.
struct SomeFacts {
  Arena arena;
  http::Fields request{arena};
  http::Fields origin{arena};
  http::Fields response{arena};
  observe::Record record;
  WallTime begun{std::chrono::nanoseconds(1'700'000'000'012'500'000)};

  SomeFacts() {
    record.begun = TimePoint(std::chrono::seconds(5));
    record.ended = record.begun + std::chrono::milliseconds(12);
    record.origin_duration = std::chrono::milliseconds(10);
    record.client = {*net::Ip::parse("192.0.2.7"), 40000};
    record.entry_point = "web";
    record.router = "shop@docker";
    record.router_service = record.service = "shop-svc@docker";
    record.reached_service = true;
    record.server_url = "http://172.17.0.2:80";
    record.server_address = "172.17.0.2:80";
    record.method = "GET";
    record.target = "/cart?id=7";
    record.authority = "shop.example.com:8080";
    record.protocol = "HTTP/1.1";
    record.scheme = "http";
    record.origin_bytes = 200;
    record.response_bytes = 100;
    record.origin_status = 200;
    record.status = record.service_status = 200;
    record.server_answered = true;
    request.add("User-Agent", "curl/8");
    request.add("X-Many", "a");
    request.add("x-many", "b");
    request.add("Authorization", "Basic c2VjcmV0");
    response.add("Content-Type", "text/html");
  }
  observe::Facts facts() const { return {record, begun, &request, &origin, &response, {}, {}}; }
};

}  // namespace fairlead::test
