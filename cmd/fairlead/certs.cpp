#include "cmd/fairlead/certs.h"

#include "cmd/fairlead/control_socket.h"
#include "cmd/fairlead/print.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

namespace fairlead::cmd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUsage = R"(Usage: fairlead certs list [--json]
       fairlead certs renew NAME [--dry-run [--server DIRECTORY]]
       fairlead certs prune
       fairlead certs export [FOLDER]

list    every certificate: names, issuer, expiry, what happens next, the last error and what it means
renew   orders the certificate of NAME anew; --dry-run tries an order at the staging directory of the
        authority (or at DIRECTORY) and keeps nothing
prune   removes certificates that no route uses
export  writes all certificates as PEM files below FOLDER, by default that of certificates.export
)";
constexpr auto kDryRun = std::chrono::minutes(10);

// What authorities and name servers said is in it, so it goes to a terminal without control bytes.
std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? one_line(found->get<std::string>()) : std::string();
}

std::string joined(const Json& json, const char* key) {
  std::string out;
  if (const auto found = json.find(key); found != json.end() && found->is_array())
    for (const Json& one : *found)
      if (one.is_string()) out += (out.empty() ? "" : ", ") + one_line(one.get<std::string>());
  return out;
}

std::expected<Json, std::string> ask(const std::string& line) {
  const auto answer = ask_control(default_control_path(), "certs " + line);
  if (!answer)
    return std::unexpected(
        fmt::format("{} (is Fairlead running, and is this its user?)", answer.error().detail));
  Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object()) return std::unexpected("the instance's answer is not understood");
  if (const std::string error = text(json, "error"); !error.empty()) return std::unexpected(error);
  return json;
}

int failed(const std::string& what) {
  fmt::print(stderr, "fairlead: {}\n", what);
  return 1;
}

int tell(const std::string& line) {
  const auto answer = ask(line);
  if (!answer) return failed(answer.error());
  return print(text(*answer, "said") + '\n');
}

int list(bool as_json) {
  const auto answer = ask("list");
  if (!answer) return failed(answer.error());
  const Json& all = (*answer)["certificates"];
  if (as_json) return print(all.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  if (all.empty()) return print("There are no certificates, and none is wanted.\n");
  std::string out;
  const auto to = std::back_inserter(out);
  for (const Json& one : all) {
    const std::string end = text(one, "notAfter");
    const std::string resolver = text(one, "resolver");
    const std::string routers = joined(one, "routers");
    fmt::format_to(to, "{}\n", joined(one, "names"));
    if (end.empty())
      out += "  no certificate\n";
    else
      fmt::format_to(to, "  issued by {}, valid until {}\n", text(one, "issuer"), end);
    fmt::format_to(to, "  {}{}\n", resolver.empty() ? "from a file" : "resolver " + resolver,
                   routers.empty() ? "" : ", used by " + routers);
    fmt::format_to(to, "  next: {}\n", text(one, "next"));
    if (const std::string error = text(one, "error"); !error.empty())
      fmt::format_to(to, "  last error: {}\n", error);
    if (const std::string meaning = text(one, "meaning"); !meaning.empty())
      fmt::format_to(to, "  that means: {}\n", meaning);
  }
  return print(out);
}

int dry_run(const std::string& name, const std::string& server) {
  const auto begun = ask(fmt::format("dry-run {} {}", name, server));
  if (!begun) return failed(begun.error());
  const int number = begun->value("dryRun", 0);
  for (const auto until = std::chrono::steady_clock::now() + kDryRun;
       std::chrono::steady_clock::now() < until;) {
    const auto answer = ask(fmt::format("result {}", number));
    if (!answer) return failed(answer.error());
    if (const std::string said = text(*answer, "said"); !said.empty()) return print(said + '\n');
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return failed("the dry run did not end within 10 minutes");
}

}  // namespace

int certs(std::span<const std::string> arguments) {
  std::vector<std::string> words;
  std::string server;
  bool dry = false;
  bool json = false;
  bool good = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--dry-run")
      dry = true;
    else if (word == "--json")
      json = true;
    else if (word.starts_with("--server="))
      server = word.substr(9);
    else if (word == "--server" && i + 1 < arguments.size())
      server = arguments[++i];
    else if (word.starts_with('-') || word.find('\n') != std::string::npos)
      good = false;
    else
      words.push_back(word);
  }
  const std::string verb = words.empty() ? "" : words.front();
  if (good && verb == "list" && words.size() == 1) return list(json);
  if (good && verb == "renew" && words.size() == 2)
    return dry ? dry_run(words[1], server) : tell("renew " + words[1]);
  if (good && verb == "prune" && words.size() == 1) return tell("prune");
  if (good && verb == "export" && words.size() <= 2) {
    std::error_code problem;
    return tell(words.size() == 1 ? "export"
                                  : "export " + std::filesystem::absolute(words[1], problem).string());
  }
  const bool help = arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h");
  if (help) return print(kUsage);
  fmt::print(stderr, "{}", kUsage);
  return 2;
}

}  // namespace fairlead::cmd
