#pragma once

#include "engine/base/clock.h"
#include "engine/model/dynamic.h"

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::providers::file {

// What each watched file says: the last content that could be read, whatever happened to the file since.
// Knows no file system; texts and times are given.
class Contents {
 public:
  explicit Contents(model::MiddlewareTypes types) : types_(types) {}

  // The texts of all files by path, or why one cannot be read. Files that are no longer named are forgotten,
  // but for those of `unlisted` directories (and why they cannot be listed). Answers whether anything
  // changed.
  bool update(const std::map<std::string, std::expected<std::string, std::string>>& texts, TimePoint now,
              const std::map<std::string, std::string>& unlisted = {});

  // When update() is to be called again without a change: a file that became empty counts as empty after 2 s,
  // since editors and copies empty a file before they fill it.
  std::optional<TimePoint> next_look() const;

  // All files in the order of their names; of an element that two define, the first one's counts.
  model::Dynamic compose() const;

  // Messages of the last update: one per file that cannot be used, and per directory.
  const std::vector<std::string>& complaints() const { return complaints_; }

  // Log what the template of each file gave (debugLogGeneratedTemplate).
  void log_templates(bool on) { log_templates_ = on; }

 private:
  struct File {
    std::string text;  // as last seen
    bool seen = false;
    bool loaded = false;      // `good` was read at some time
    bool unreadable = false;  // the last time
    std::string trouble;      // why `text` is not in use; empty when it is
    std::optional<TimePoint> empty_since;
    model::Dynamic good;
  };

  bool look(File& file, const std::string& path, const std::expected<std::string, std::string>& text,
            TimePoint now);
  bool take(File& file, const std::string& path, const std::string& text);
  static std::string trouble(const File& file, const std::string& where, std::string_view what);

  const model::MiddlewareTypes types_;
  bool log_templates_ = false;
  std::map<std::string, File> files_;
  std::map<std::string, std::string> unlisted_;  // by path: what is said of that directory
  std::vector<std::string> complaints_;
};

}  // namespace fairlead::providers::file
