#include "engine/admin/debug.h"

#include "engine/admin/redact.h"
#include "engine/base/strings.h"
#include "engine/http/user_info.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace fairlead::admin {
namespace {

using Json = nlohmann::ordered_json;

// The arguments as they were given, secrets masked.
Json command_line() {
  std::ifstream file("/proc/self/cmdline");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  Json out = Json::array();
  bool masks_next = false;  // "--x.password VALUE"
  for (const std::string_view word : split(std::string_view(text).substr(0, text.rfind('\0')), '\0')) {
    const std::size_t equals = word.find('=');
    const bool secret = word.starts_with('-') && names_a_secret(word.substr(0, equals));
    if (std::exchange(masks_next, secret && equals == word.npos))
      out.push_back("xxxx");
    else if (secret && equals != word.npos)
      out.push_back(std::string(word.substr(0, equals + 1)) + "xxxx");
    else
      out.push_back(http::without_user_info(word));
  }
  return out;
}

// Numbers of /proc/self/status (proc(5)): memory in bytes, threads.
Json memory_and_threads() {
  constexpr std::pair<std::string_view, const char*> kLines[] = {{"VmSize:", "virtualBytes"},
                                                                 {"VmHWM:", "peakResidentBytes"},
                                                                 {"VmRSS:", "residentBytes"},
                                                                 {"Threads:", "threads"}};
  Json out = Json::object();
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    for (const auto& [begin, name] : kLines) {
      if (!line.starts_with(begin)) continue;
      const std::string_view value = trim(std::string_view(line).substr(begin.size()));
      const auto number = parse_digits(value.substr(0, value.find(' '))).value_or(0);
      out[name] = value.ends_with(" kB") ? number * 1024 : number;
    }
  return out;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string vars(const Sources& sources) {
  Json out{{"cmdline", command_line()}, {"version", sources.version}, {"process", memory_and_threads()}};
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  Json& process = out["process"];
  process["pid"] = ::getpid();
  process["userSeconds"] = seconds(used.ru_utime);
  process["systemSeconds"] = seconds(used.ru_stime);
  process["startUnixSeconds"] =
      std::chrono::duration_cast<std::chrono::seconds>(sources.started.time_since_epoch()).count();
  if (sources.dropped_log_lines) out["droppedLogLines"] = sources.dropped_log_lines();
  if (sources.connections)
    for (const OpenConnections& open : sources.connections())
      out["openConnections"][open.entry_point] = open.count;
  if (const auto view = sources.view()) out["reloads"] = view->reloads;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

ApiAnswer answer_debug(std::string_view path, const Sources& sources) {
  if (path == "/debug/vars") return {.status = 200, .body = vars(sources), .next_page = 0};
  if (path == "/debug/pprof" || path.starts_with("/debug/pprof/"))
    return {.status = 501,
            .body = fmt::format("profiles are taken from outside: perf record -g -p {}\n", ::getpid()),
            .next_page = 0};
  return {.status = 404, .body = "404 page not found\n", .next_page = 0};
}

}  // namespace fairlead::admin
