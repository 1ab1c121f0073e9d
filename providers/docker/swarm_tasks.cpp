#include "providers/docker/swarm_tasks.h"

#include "engine/base/strings.h"
#include "providers/docker/engine_json.h"
#include "providers/docker/own_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fairlead::providers::docker {
namespace {

using nlohmann::json;

std::string without_mask(const std::string& address) { return address.substr(0, address.find('/')); }

struct Service {
  std::string name;
  Labels labels;
  bool global = false;
  bool virtual_ip = false;
  std::vector<Attachment> virtual_ips;
  WallTime created{};
};

class Reader {
 public:
  explicit Reader(const SwarmAnswers& answers) : answers_(answers) {}

  std::expected<SwarmTasks, std::string> run() {
    if (!answers_.nodes.empty())
      each(answers_.nodes, [this](const json& node) { nodes_[text(node, "ID")] = node_address(node); });
    error_.clear();  // tasks in host mode complain of a node without an address
    each(answers_.networks,
         [this](const json& network) { networks_[text(network, "Id")] = text(network, "Name"); });
    each(answers_.services, [this](const json& service) { read_service(service); });
    each(answers_.tasks, [this](const json& task) { read_task(task); });
    if (!error_.empty()) return std::unexpected("the answer cannot be read: " + error_);
    return std::move(out_);
  }

 private:
  template <class Read>
  void each(const std::string& answer, Read read) {
    const auto rows = parse_json(answer);
    if (!rows) {
      error_ = rows.error();
      return;
    }
    if (!rows->is_array() && !rows->is_null()) {  // null: a list of nothing, as Go writes it
      error_ = "it is no list";
      return;
    }
    for (const json& row : *rows) read(row);
  }

  static std::string node_address(const json& node) {
    std::string address = text(member(node, "Status"), "Addr");
    // A manager that listens everywhere is known by its manager address.
    if (address.empty() || address == "0.0.0.0" || address == "::") {
      const std::string manager = text(member(node, "ManagerStatus"), "Addr");
      address = manager.substr(0, manager.rfind(':'));
      if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    }
    return address;
  }

  void read_service(const json& json_service) {
    const json& spec = member(json_service, "Spec");
    Service service;
    service.name = text(spec, "Name");
    if (service.name.empty()) return;
    service.global =
        !member(member(spec, "Mode"), "Global").empty() || member(spec, "Mode").contains("Global");
    service.created = parse_time(text(json_service, "CreatedAt"));
    const json& labels = member(spec, "Labels");
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) service.labels.emplace(key, value.get<std::string>());
    if (!labels_agree(service)) return;

    const json& endpoint = member(json_service, "Endpoint");
    const bool dnsrr = text(member(endpoint, "Spec"), "Mode") == "dnsrr" ||
                       text(member(spec, "EndpointSpec"), "Mode") == "dnsrr";
    const std::string id = text(json_service, "ID");
    if (balances(service)) {
      if (dnsrr)
        out_.complaints.push_back(
            fmt::format("{}: lbswarm needs the endpoint mode vip; its tasks are used", service.name));
      else
        service.virtual_ip = true;
    }
    if (service.virtual_ip) add_virtual(id, service, member(endpoint, "VirtualIPs"));
    services_.emplace(id, std::move(service));
  }

  bool labels_agree(const Service& service) {
    bool docker = false, swarm = false;
    for (const auto& [key, value] : service.labels) {
      docker = docker || istarts_with(key, "traefik.docker.");
      swarm = swarm || istarts_with(key, "traefik.swarm.");
    }
    if (docker && swarm)
      out_.complaints.push_back(fmt::format(
          "{}: both traefik.docker and traefik.swarm labels; the service is left out", service.name));
    return !(docker && swarm);
  }

  static bool balances(const Service& service) {
    schema::Problems ignored;
    return read_own_labels(schema::read_labels(service.labels, service.name, ignored), true)
        .placement.lb_swarm;
  }

  void add_virtual(const std::string& id, const Service& service, const json& addresses) {
    Container c = common(id, service);
    c.name = service.name;
    c.created = c.started = service.created;
    for (const json& address : addresses)
      attach(c, text(address, "NetworkID"), without_mask(text(address, "Addr")));
    if (c.attachments.empty())
      out_.complaints.push_back(fmt::format("{}: no virtual address that can be used", service.name));
    else
      out_.containers.push_back(std::move(c));
  }

  void read_task(const json& task) {
    const auto service = services_.find(text(task, "ServiceID"));
    if (service == services_.end() || service->second.virtual_ip) return;
    const std::string desired = text(task, "DesiredState");  // what the list was filtered by
    if ((!desired.empty() && desired != "running") || text(member(task, "Status"), "State") != "running")
      return;
    Container c = common(text(task, "ID"), service->second);
    const json& slot = member(task, "Slot");
    c.name = service->second.global || !slot.is_number_integer()
                 ? fmt::format("{}.{}", c.swarm_service, c.id)
                 : fmt::format("{}.{}", c.swarm_service, slot.get<std::int64_t>());
    c.created = c.started = parse_time(text(task, "CreatedAt"));
    for (const json& attachment : member(task, "NetworksAttachments")) {
      const json& network = member(attachment, "Network");
      if (text(member(network, "Spec"), "Name") == "host") {
        add_node(c, text(network, "ID"), nodes_[text(task, "NodeID")]);
      } else if (const json& addresses = member(attachment, "Addresses");
                 addresses.is_array() && !addresses.empty() && addresses.back().is_string()) {
        attach(c, text(network, "ID"), without_mask(addresses.back().get<std::string>()));
      }
    }
    if (!c.attachments.empty()) out_.containers.push_back(std::move(c));
  }

  static Container common(const std::string& id, const Service& service) {
    Container c;
    c.id = id;
    c.swarm_service = service.name;
    c.labels = service.labels;
    c.running = Running::Running;
    return c;
  }

  void add_node(Container& c, const std::string& network_id, const std::string& address) {
    Attachment a{"host", network_id, address, "", ""};
    if (address.empty())
      out_.complaints.push_back(
          fmt::format("{}: the address of its node is unknown; the manager must answer /nodes", c.name));
    else if (address.find(':') != std::string::npos)
      std::swap(a.ipv4, a.ipv6);
    c.attachments.push_back(std::move(a));
  }

  void attach(Container& c, const std::string& network_id, const std::string& address) {
    const auto network = networks_.find(network_id);
    if (network == networks_.end() || address.empty()) return;
    Attachment a{network->second, network_id, address, "", ""};
    if (address.find(':') != std::string::npos) std::swap(a.ipv4, a.ipv6);
    c.attachments.push_back(std::move(a));
    std::ranges::sort(c.attachments, {}, &Attachment::name);
  }

  const SwarmAnswers& answers_;
  std::map<std::string, std::string> networks_;  // name by id
  std::map<std::string, std::string> nodes_;     // address by id
  std::map<std::string, Service> services_;
  SwarmTasks out_;
  std::string error_;
};

}  // namespace

std::expected<SwarmTasks, std::string> parse_swarm(const SwarmAnswers& answers) try {
  return Reader(answers).run();
} catch (const json::exception& e) {
  return std::unexpected(fmt::format("the answer cannot be read: {}", e.what()));
}

}  // namespace fairlead::providers::docker
