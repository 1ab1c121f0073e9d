#include "engine/observe/time_text.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace fairlead::observe {
namespace {

constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string date_and_time(const std::tm& t) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec);
}

std::string zone(long offset_seconds, std::string_view between) {
  const long minutes = std::abs(offset_seconds) / 60;
  return fmt::format("{}{:02}{}{:02}", offset_seconds < 0 ? '-' : '+', minutes / 60, between, minutes % 60);
}

std::string clf(const std::tm& t, long offset_seconds) {
  return fmt::format("{:02}/{}/{:04}:{:02}:{:02}:{:02} {}", t.tm_mday,
                     kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min,
                     t.tm_sec, zone(offset_seconds, ""));
}

std::int64_t nanoseconds(WallTime time) { return time.time_since_epoch().count(); }

constexpr std::int64_t kSecond = 1'000'000'000;

// Go's ".999999999": no zeros at the end, nothing at all for a whole second.
void append_fraction(std::string& out, WallTime time) {
  std::int64_t rest = nanoseconds(time) % kSecond;
  if (rest == 0) return;
  if (rest < 0) rest += kSecond;
  std::array<char, 10> text{'.'};
  for (std::size_t i = 9; i > 0; --i, rest /= 10) text[i] = static_cast<char>('0' + rest % 10);
  std::size_t size = text.size();
  while (text[size - 1] == '0') --size;
  out.append(text.data(), size);
}

}  // namespace

void TimeText::look_up(WallTime time) {
  const std::int64_t whole = nanoseconds(time);
  const std::int64_t second = whole / kSecond - (whole % kSecond < 0 ? 1 : 0);
  if (second == second_) return;
  second_ = second;
  const std::time_t seconds = second;
  std::tm utc{};
  std::tm local{};
  ::gmtime_r(&seconds, &utc);
  ::localtime_r(&seconds, &local);
  utc_ = date_and_time(utc);
  local_ = date_and_time(local);
  local_zone_ = local.tm_gmtoff == 0 ? "Z" : zone(local.tm_gmtoff, ":");
  clf_utc_ = clf(utc, 0);
  clf_local_ = clf(local, local.tm_gmtoff);
}

void TimeText::append_utc(std::string& out, WallTime time) {
  look_up(time);
  out += utc_;
  append_fraction(out, time);
  out += 'Z';
}

void TimeText::append_local(std::string& out, WallTime time) {
  look_up(time);
  out += local_;
  append_fraction(out, time);
  out += local_zone_;
}

void TimeText::append_local_second(std::string& out, WallTime time) {
  look_up(time);
  out += local_;
  out += local_zone_;
}

void TimeText::append_clf(std::string& out, WallTime time, bool utc) {
  look_up(time);
  out += utc ? clf_utc_ : clf_local_;
}

}  // namespace fairlead::observe
