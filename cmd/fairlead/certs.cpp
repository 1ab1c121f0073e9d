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
#include <string_view>
#include <thread>
#include <vector>

namespace fairlead::cmd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUsage = R"(Usage: fairlead certs list [--json]
       fairlead certs renew NAME [--dry-run [--server DIRECTORY]]
       fairlead certs prune
       fairlead certs export [FOLDER]

list    every certificate: names, issuer, expiry, what happens next, the last error and what it means;
        then what is wrong with files of certificates
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
  const Json complaints = answer->value("complaints", Json::array());
  if (as_json) return print(all.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
  if (all.empty() && complaints.empty()) return print("There are no certificates, and none is wanted.\n");
  std::string out;
  bool some_failed = false;
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
    const std::string error = text(one, "error");
    some_failed |= !error.empty();
    if (!error.empty()) fmt::format_to(to, "  last error: {}\n", error);
    if (const std::string meaning = text(one, "meaning"); !meaning.empty())
      fmt::format_to(to, "  that means: {}\n", meaning);
  }
  for (const Json& one : complaints) fmt::format_to(to, "{}\n  {}\n", text(one, "file"), text(one, "reason"));
  if (some_failed) out += "Who has mended a cause need not wait: fairlead certs renew NAME\n";
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

struct Request {
  std::vector<std::string> words;  // the verb, and what it is about
  bool as_json = false;
  bool dry = false;
  std::string server;

  const std::string& verb() const { return words.front(); }
  std::string about() const { return words.size() < 2 ? std::string() : words[1]; }
};

// A flag that its verb does not have is refused: `prune --dry-run` must not prune.
std::string complaint(const Request& asked) {
  if (asked.words.empty()) return "what is to be done is missing";
  const std::string& verb = asked.verb();
  const bool renews = verb == "renew";
  if (verb != "list" && !renews && verb != "prune" && verb != "export")
    return fmt::format("there is no \"{}\"", verb);
  if (asked.as_json && verb != "list") return fmt::format("{} has no --json", verb);
  if (asked.dry && !renews) return fmt::format("{} has no --dry-run", verb);
  if (!asked.server.empty() && !asked.dry) return "--server is for --dry-run only";
  if (renews && asked.words.size() < 2) return "renew needs the name of a certificate";
  const std::size_t most = renews || verb == "export" ? 2 : 1;
  if (asked.words.size() > most) return fmt::format("unexpected word \"{}\"", asked.words[most]);
  return {};
}

std::expected<Request, std::string> parse(std::span<const std::string> arguments) {
  Request asked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.find('\n') != std::string::npos)  // a line is one request to the instance
      return std::unexpected("a line end in an argument");
    if (word == "--dry-run")
      asked.dry = true;
    else if (word == "--json")
      asked.as_json = true;
    else if (word.starts_with("--server="))
      asked.server = word.substr(std::string_view("--server=").size());
    else if (word == "--server" && i + 1 < arguments.size())
      asked.server = arguments[++i];
    else if (word.starts_with('-'))
      return std::unexpected(fmt::format("there is no flag {}", word));
    else
      asked.words.push_back(word);
  }
  if (std::string wrong = complaint(asked); !wrong.empty()) return std::unexpected(std::move(wrong));
  return asked;
}

int refuse(const std::string& why) {
  fmt::print(stderr, "fairlead certs: {}\n\n{}", one_line(why), kUsage);
  return 2;
}

}  // namespace

int certs(std::span<const std::string> arguments) {
  if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) return print(kUsage);
  const auto asked = parse(arguments);
  if (!asked) return refuse(asked.error());
  if (asked->verb() == "list") return list(asked->as_json);
  if (asked->verb() == "prune") return tell("prune");
  if (asked->verb() == "renew")
    return asked->dry ? dry_run(asked->about(), asked->server) : tell("renew " + asked->about());
  std::error_code problem;
  return tell(asked->words.size() == 1
                  ? "export"
                  : "export " + std::filesystem::absolute(asked->about(), problem).string());
}

}  // namespace fairlead::cmd
