#include "cmd/fairlead/install_config.h"

#include "engine/model/static_checks.h"
#include "engine/schema/file.h"
#include "engine/schema/flags.h"
#include "engine/schema/option.h"
#include "engine/schema/read.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace fairlead::cmd {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const schema::Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

// Where Traefik's image runs, so that people mount their file as /traefik.yml.
constexpr const char* kTraefikImage = "/";

struct FoundFile {
  std::string path;
  bool of_traefik = false;
  bool of_its_image = false;
};

// The start would otherwise be one without any options, and nobody would know why.
constexpr const char* kDirectory =
    "is a directory; an engine makes one where the file to mount is missing on its host";

bool is_file(const std::string& path, std::vector<std::string>& notices) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) notices.push_back(fmt::format("{}: {}", path, kDirectory));
  return fs::is_regular_file(path, ignored);
}

// Fairlead's places first, then Traefik's.
std::optional<FoundFile> search(const schema::Environment& environment, std::vector<std::string>& notices) {
  std::vector<std::string> own = {"/etc/fairlead/"};
  std::vector<std::string> theirs = {"/etc/traefik/"};
  if (const auto config_home = variable(environment, "XDG_CONFIG_HOME")) {
    own.push_back(*config_home + "/fairlead/");
    theirs.push_back(*config_home + "/");
  }
  if (const auto home = variable(environment, "HOME")) theirs.push_back(*home + "/.config/");
  own.push_back("./");
  theirs.push_back("./");
  theirs.push_back(kTraefikImage);
  for (const std::string& directory : own)
    for (const char* name : {"fairlead.yml", "fairlead.yaml", "fairlead.toml"})
      if (is_file(directory + name, notices)) return FoundFile{directory + name, false};
  for (const std::string& directory : theirs)
    for (const char* name : {"traefik.toml", "traefik.yaml", "traefik.yml"})
      if (is_file(directory + name, notices))
        return FoundFile{directory + name, true, directory == kTraefikImage};
  return std::nullopt;
}

Configured<std::string> read_whole(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return misconfigured(path, kDirectory);
  std::ifstream in(path, std::ios::binary);
  if (!in) return misconfigured(path, std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void collect(const schema::Problems& problems, InstallConfig& out) {
  for (const schema::Problem& problem : problems) {
    (problem.severity == schema::Severity::Error ? out.errors : out.notices).push_back(problem.text());
  }
}

const std::string* scalar_of(const schema::Node& node, std::string_view key) {
  const schema::Node* found = node.find_ignoring_case(key);
  return found && found->has_value() ? &found->text() : nullptr;
}

// Options that Traefik would not have looked at, because it takes the first source that exists alone.
void notice_combined(const schema::Node& file, const schema::Node& flags, const schema::Node& environment,
                     InstallConfig& out) {
  if (file.empty()) return;
  std::vector<std::string> names;
  for (const schema::Node* source : {&flags, &environment})
    for (const auto& entry : source->entries()) {
      const auto same = [&entry](const std::string& name) {
        return schema::equal_ignoring_case(name, entry.key);
      };
      if (!same("configFile") && std::ranges::none_of(names, same)) names.push_back(entry.key);
    }
  if (!names.empty())
    out.notices.push_back(
        fmt::format("flags and environment count beside {}: {} (Traefik would ignore them beside a file)",
                    out.file, fmt::join(names, ", ")));
}

}  // namespace

InstallConfig read_install(std::span<const std::string> arguments, const schema::Environment& environment) {
  InstallConfig out;
  const schema::TypeInfo& type = schema::type_of<model::Static>();
  schema::Problems problems;
  schema::CommandLine line = schema::read_flags(arguments, type, problems);
  out.wants_help = line.wants_help;
  out.words = line.words;
  schema::Node from_environment = schema::read_environment(environment, type, problems);
  for (schema::Problem& problem : problems) model::explain_removed(problem);

  const std::string* named = scalar_of(line.options, "configFile");
  if (!named) named = scalar_of(from_environment, "configFile");
  schema::Node from_file;
  std::optional<FoundFile> found;
  if (named && !named->empty())
    found = FoundFile{*named, false};
  else
    found = search(environment, out.notices);
  if (found) {
    out.file = found->path;
    // The paths in it are meant from there: `storage: acme.json` is what was mounted as /acme.json.
    if (found->of_its_image && ::chdir(kTraefikImage) != 0)
      out.notices.push_back(fmt::format("{}: {}", kTraefikImage, std::strerror(errno)));
    if (found->of_traefik)
      out.notices.push_back(
          fmt::format("{}: Traefik's own install file is read, as no fairlead.yml was found", out.file));
    auto text = read_whole(out.file);
    if (!text) {
      out.errors.push_back(fmt::format("{}: {}", text.error().path, text.error().what));
    } else {
      out.file_text = *text;
      auto tree = schema::read_text(*text, out.file, schema::keep_templates);
      if (tree && (tree->is_map() || tree->is_null()))
        from_file = std::move(*tree);
      else if (tree)
        out.errors.push_back(
            fmt::format("{}: holds no options: expected sections such as `entryPoints:`, got {}", out.file,
                        tree->is_list() ? "a list" : "plain text"));
      else
        out.errors.push_back(fmt::format("{}: {}", tree.error().path, tree.error().what));
    }
  }
  notice_combined(from_file, line.options, from_environment, out);
  const schema::Node joined = schema::merge(schema::merge(std::move(from_file), std::move(from_environment)),
                                            std::move(line.options));
  out.options = std::make_shared<const model::Static>(model::read_static(joined, problems));
  collect(problems, out);
  return out;
}

}  // namespace fairlead::cmd
