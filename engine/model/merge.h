#pragma once

#include "engine/model/dynamic.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::model {

struct ProviderConfig {
  std::string provider;  // docker, file, internal, …
  std::shared_ptr<const Dynamic> config;
};

// "web" of docker is "web@docker"; a name that has its provider keeps it, and an empty one stays empty.
std::string qualify(std::string_view name, std::string_view provider);

// The parts of a qualified name: {"web", "docker"}; the provider is empty where there is none.
struct QualifiedName {
  std::string_view name;
  std::string_view provider;
};
QualifiedName split(std::string_view qualified);

// Joins what the providers say into one configuration. Names become `name@provider`, references to elements
// are qualified by the provider of the element that holds them (also chain.middlewares and errors.service
// inside middlewares); TLS options and the store named `default` are global. Two providers that define one of
// those break it: nobody can know which was meant. What labels say of it counts only where nobody else says
// anything: no container takes down, or loosens, the TLS of all hosts.
Dynamic merge(std::span<const ProviderConfig> providers);

// What a provider has told of servers since its last configuration, by URL or address.
using Told = std::map<std::string, Standing>;  // `state` and `reasons` count

// Brings the standings of the provider's services up to date, in a merged configuration.
void bring_up_to_date(Dynamic& merged, std::string_view provider, const Told& told);

}  // namespace fairlead::model
