#pragma once

#include "engine/base/result.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/watched_file.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

// One line of a password file: who, and what proves it.
struct AuthUser {
  std::string name;
  std::string secret;
  std::string complaint{};  // why nothing can ever prove it, continuing "(jo) "; empty: something can
};

// An immutable table of users, sorted by name.
class AuthTable {
 public:
  explicit AuthTable(std::vector<AuthUser> users);

  const std::string* find(std::string_view name) const;
  // The secret of some user, always the same for one name: what an unknown user is checked against, so that
  // it costs what a known one costs. Null only when nobody can log in.
  const std::string* stand_in(std::string_view name) const;
  // Of users, with those that nothing can prove.
  std::size_t names() const { return names_; }

 private:
  std::vector<AuthUser> users_;  // that can log in
  std::size_t names_ = 0;
};

// The users of one middleware, from the options and from a file that is read again when it changes; a file
// that cannot be read or holds a bad line keeps its last good contents. A user that nothing can prove is told
// in the notices and never let in; the others are not harmed.
class AuthUsers {
 public:
  // Reads one entry; the error's `what` continues the words "user entry 3 ".
  using Parse = Configured<AuthUser> (*)(std::string_view entry);

  // Errors: {"users" | "usersFile"}: a bad entry, an unreadable file, no user at all.
  static Configured<std::shared_ptr<AuthUsers>> make(const std::vector<std::string>& users,
                                                     const std::string& file, Parse parse, Making& making);

  // Any thread.
  std::shared_ptr<const AuthTable> now() const { return table_.load(std::memory_order_acquire); }

 private:
  struct Parts;
  static Configured<std::vector<AuthUser>> parse_file(const std::string& contents, Parse parse);
  void replace(std::vector<AuthUser> from_file);

  std::vector<AuthUser> own_;  // of the options
  schema::Problems notices_;   // about users that nothing can prove
  std::atomic<std::shared_ptr<const AuthTable>> table_;
  std::unique_ptr<WatchedFile> file_;  // last: it calls back until it is gone
};

}  // namespace fairlead::middleware
