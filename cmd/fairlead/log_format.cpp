#include "cmd/fairlead/log_format.h"

#include "cmd/fairlead/print.h"
#include "engine/observe/json_text.h"
#include "engine/observe/time_text.h"

#include <string>

namespace fairlead::cmd {
namespace {

struct Level {
  std::string_view brief;
  std::string_view word;
  std::string_view color;
};

Level level_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return {"TRC", "trace", "\x1b[34m"};
    case spdlog::level::debug: return {"DBG", "debug", "\x1b[33m"};
    case spdlog::level::warn: return {"WRN", "warn", "\x1b[31m"};
    case spdlog::level::err: return {"ERR", "error", "\x1b[1;31m"};
    case spdlog::level::critical: return {"FTL", "fatal", "\x1b[1;31m"};
    default: return {"INF", "info", "\x1b[32m"};
  }
}

class LogFormatter final : public spdlog::formatter {
 public:
  LogFormatter(bool json, bool color) : json_(json), color_(color) {}

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LogFormatter>(json_, color_);
  }

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    line_.clear();
    const Level level = level_of(message.level);
    const std::string_view text(message.payload.data(), message.payload.size());
    if (json_) {
      ((line_ += R"({"level":")") += level.word) += R"(","time":")";
      times_.append_local_second(line_, message.time);
      line_ += R"(","message":)";
      observe::append_json_text(line_, text);
      line_ += '}';
    } else {
      if (color_) line_ += "\x1b[90m";
      times_.append_local_second(line_, message.time);
      if (color_) line_ += "\x1b[0m";
      line_ += ' ';
      if (color_) line_ += level.color;
      line_ += level.brief;
      if (color_) line_ += "\x1b[0m";
      line_ += ' ';
      append_one_line(line_, text);
    }
    line_ += '\n';
    out.append(line_.data(), line_.data() + line_.size());
  }

 private:
  const bool json_;
  const bool color_;
  observe::TimeText times_;
  std::string line_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> log_formatter(bool json, bool color) {
  return std::make_unique<LogFormatter>(json, color);
}

}  // namespace fairlead::cmd
