#pragma once

#include "engine/model/http.h"
#include "engine/model/tcp.h"
#include "engine/model/udp.h"

#include <functional>
#include <string>
#include <vector>

// Where elements name other elements. One place knows it, for qualifying as for checking.
namespace fairlead::model {

enum class Target : unsigned char { Service, Middleware, Transport };

using Rename = std::function<void(std::string& name)>;

// Calls `rename` for each name of another element that is set, in the options of a middleware also inside the
// tree (chain.middlewares, errors.service). What it does to the name is kept.
void for_each_reference(HttpService& service, const Rename& rename);
void for_each_reference(Middleware& middleware, const Rename& rename);
void for_each_reference(TcpService& service, const Rename& rename);
void for_each_reference(UdpService& service, const Rename& rename);

struct Reference {
  Target target = Target::Service;
  std::string name;
  const char* option = "";  // "weighted.services", "chain.middlewares"
  bool status = false;      // the child must be able to report whether it is up
};
std::vector<Reference> references(const HttpService& service);
std::vector<Reference> references(const Middleware& middleware);
std::vector<Reference> references(const TcpService& service);
std::vector<Reference> references(const UdpService& service);

// A list of texts that stands in a tree, as a YAML list or as one comma-separated value.
std::vector<std::string> texts(const schema::Node& list);

}  // namespace fairlead::model
