#include "engine/middleware/auth_users.h"

#include "engine/base/strings.h"
#include "engine/middleware/keyed_hash.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

namespace fairlead::middleware {
namespace {

schema::Problem hopeless(const char* option, const AuthUser& user) {
  schema::Problem problem;
  problem.kind = schema::Problem::Kind::BadValue;
  problem.severity = schema::Severity::Warning;
  problem.segments = {option};
  problem.path = problem.key = option;
  problem.what = "(" + user.name + ") " + user.complaint + "; nobody can log in as this user";
  return problem;
}

}  // namespace

AuthTable::AuthTable(std::vector<AuthUser> users) {
  std::map<std::string, AuthUser> last;  // of several entries for one name, as in Traefik
  for (AuthUser& user : users) {
    std::string name = user.name;
    last.insert_or_assign(std::move(name), std::move(user));
  }
  names_ = last.size();
  // Who cannot log in costs what an unknown user costs, and is no stand-in for one.
  for (auto& [name, user] : last)
    if (user.complaint.empty()) users_.push_back(std::move(user));
}

const std::string* AuthTable::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      users_, name, {}, [](const AuthUser& user) { return std::string_view(user.name); });
  return found != users_.end() && found->name == name ? &found->secret : nullptr;
}

const std::string* AuthTable::stand_in(std::string_view name) const {
  if (users_.empty()) return nullptr;
  const KeyedHash::Digest digest = KeyedHash::shared().of({"stand-in", name});
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return &users_[number % users_.size()].secret;
}

Configured<std::vector<AuthUser>> AuthUsers::parse_file(const std::string& contents, Parse parse) {
  std::vector<AuthUser> users;
  int number = 0;
  for (std::string_view line : split(contents, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim(line);
    if (line.empty() || line.starts_with('#')) continue;
    auto user = parse(line);
    if (!user) return misconfigured("usersFile", "line " + std::to_string(number) + ' ' + user.error().what);
    users.push_back(std::move(*user));
  }
  return users;
}

void AuthUsers::replace(std::vector<AuthUser> from_file) {
  from_file.insert(from_file.end(), own_.begin(), own_.end());  // behind, so that `users` wins over the file
  table_.store(std::make_shared<const AuthTable>(std::move(from_file)), std::memory_order_release);
}

Configured<std::shared_ptr<AuthUsers>> AuthUsers::make(const std::vector<std::string>& users,
                                                       const std::string& file, Parse parse, Making& making) {
  if (users.empty() && file.empty()) return misconfigured("users", "needs at least one user, or a usersFile");
  std::optional<ConfigError> error;
  auto made =
      making.carry_over.get<AuthUsers>(making.name, making.options_hash, [&]() -> std::shared_ptr<AuthUsers> {
        auto fresh = std::make_shared<AuthUsers>();
        for (std::size_t i = 0; i < users.size(); ++i) {
          auto user = parse(users[i]);
          if (!user) {
            error = {"users", "entry " + std::to_string(i + 1) + ' ' + user.error().what};
            return nullptr;
          }
          fresh->own_.push_back(std::move(*user));
        }
        for (const AuthUser& user : fresh->own_)
          if (!user.complaint.empty()) fresh->notices_.push_back(hopeless("users", user));
        std::vector<AuthUser> from_file;
        if (!file.empty()) {
          auto contents = read_whole_file(file);
          if (!contents) {
            error = {"usersFile", contents.error().what};
            return nullptr;
          }
          auto parsed = parse_file(*contents, parse);
          if (!parsed) {
            error = parsed.error();
            return nullptr;
          }
          from_file = std::move(*parsed);
          for (const AuthUser& user : from_file)
            if (!user.complaint.empty()) fresh->notices_.push_back(hopeless("usersFile", user));
          const auto changed = [self = fresh.get(), parse, file](const std::string& now) {
            auto again = parse_file(now, parse);
            if (!again) return spdlog::warn("{}: {}; the users before stay", file, again.error().what);
            for (const AuthUser& user : *again)
              if (!user.complaint.empty())
                return spdlog::warn("{}: ({}) {}; the users before stay", file, user.name, user.complaint);
            self->replace(std::move(*again));
            spdlog::info("{}: read again", file);
          };
          fresh->file_ = std::make_unique<WatchedFile>(file, std::move(*contents), changed);
        }
        fresh->replace(std::move(from_file));
        return fresh;
      });
  if (error) return std::unexpected(std::move(*error));
  if (made->now()->names() == 0) return misconfigured("users", "has no user");
  making.notices.insert(making.notices.end(), made->notices_.begin(), made->notices_.end());
  return made;
}

}  // namespace fairlead::middleware
