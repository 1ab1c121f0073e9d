#include "providers/file/contents.h"

#include "engine/model/read.h"
#include "engine/schema/file.h"
#include "providers/template.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fairlead::providers::file {
namespace {

constexpr Duration kEmptyFor = std::chrono::seconds(2);

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

bool is_below(std::string_view path, const std::map<std::string, std::string>& directories) {
  return std::ranges::any_of(directories, [&](const auto& entry) { return is_below(path, entry.first); });
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Configured<std::string> expand(std::string_view text) {
  const auto made = Template::parse(text);
  if (!made) return misconfigured("template", made.error());
  auto out = made->render({});
  if (!out) return misconfigured("template", out.error());
  return std::move(*out);
}

template <class Elements>
void join(Elements& into, const Elements& from, const char* section, const std::string& path,
          std::vector<model::Reason>& reasons) {
  for (const auto& [name, element] : from) {
    const auto [at, fresh] = into.emplace(name, element);
    if (fresh) {
      at->second.owner = path;
      continue;
    }
    reasons.push_back({model::ReasonKind::Conflict,
                       fmt::format("{}.{} is defined in {} and in {}; the former counts", section, name,
                                   at->second.owner, path),
                       "give one of them another name", false});
  }
}

}  // namespace

bool Contents::update(const std::map<std::string, std::expected<std::string, std::string>>& texts,
                      TimePoint now, const std::map<std::string, std::string>& unlisted) {
  complaints_.clear();
  bool changed = std::erase_if(files_, [&](const auto& file) {
                   return !texts.contains(file.first) && !is_below(file.first, unlisted);
                 }) > 0;
  const auto before = std::exchange(unlisted_, {});
  for (const auto& [directory, why] : unlisted) {
    const bool is_known =
        std::ranges::any_of(files_, [&](const auto& file) { return is_below(file.first, directory); });
    const std::string& said = unlisted_[directory] =
        fmt::format("{}: {}; {}", directory, why,
                    is_known ? "the last good content of its files stays" : "nothing of it is in effect");
    if (const auto known = before.find(directory); known == before.end() || known->second != said)
      complaints_.push_back(said);
  }
  for (const auto& [path, text] : texts) {
    File& file = files_[path];
    const std::string old_trouble = file.trouble;
    changed = look(file, path, text, now) || changed;
    if (!file.trouble.empty() && file.trouble != old_trouble) complaints_.push_back(file.trouble);
  }
  return changed;
}

bool Contents::look(File& file, const std::string& path, const std::expected<std::string, std::string>& text,
                    TimePoint now) {
  if (!text) {
    file.unreadable = true;
    file.trouble = trouble(file, path, text.error());
    return false;
  }
  const bool became_empty = file.seen && blank(*text) && !blank(file.text);
  if (became_empty) {
    if (!file.empty_since) file.empty_since = now;
    if (now - *file.empty_since < kEmptyFor) return false;
  }
  file.empty_since.reset();
  // What could not be read for a while is read anew: what was wrong with the text before is said again.
  if (file.seen && *text == file.text && !file.unreadable) return false;
  file.unreadable = false;
  file.text = *text;
  file.seen = true;
  return take(file, path, *text);
}

std::string Contents::trouble(const File& file, const std::string& where, std::string_view what) {
  return fmt::format("{}: {}; {}", where, what,
                     file.loaded ? "its last good content stays" : "nothing of it is in effect");
}

bool Contents::take(File& file, const std::string& path, const std::string& text) {
  file.trouble.clear();
  model::Dynamic read;
  if (!blank(text)) {
    const auto node = schema::read_text(text, path, [this, &path](std::string_view whole) {
      auto out = expand(whole);
      if (out && log_templates_) spdlog::debug("{}: {}", path, *out);
      return out;
    });
    if (!node) {
      const std::string& where = node.error().path.empty() ? path : node.error().path;
      file.trouble = trouble(file, where, node.error().what);
      return false;
    }
    if (const auto why = model::no_configuration(*node)) {
      file.trouble = trouble(file, path, *why);
      return false;
    }
    read = model::read_dynamic(*node, {path, 0, 0}, types_);
  }
  file.loaded = true;
  if (read == file.good) return false;
  file.good = std::move(read);
  return true;
}

std::optional<TimePoint> Contents::next_look() const {
  std::optional<TimePoint> next;
  for (const auto& [path, file] : files_)
    if (file.empty_since && (!next || *file.empty_since + kEmptyFor < *next))
      next = *file.empty_since + kEmptyFor;
  return next;
}

model::Dynamic Contents::compose() const {
  model::Dynamic out;
  for (const auto& [directory, said] : unlisted_)
    out.reasons.push_back({model::ReasonKind::BadOption, said, {}, false});
  for (const auto& [path, file] : files_) {
    const model::Dynamic& d = file.good;
    auto& reasons = out.reasons;
    reasons.insert(reasons.end(), d.reasons.begin(), d.reasons.end());
    if (!file.trouble.empty()) reasons.push_back({model::ReasonKind::BadOption, file.trouble, {}, false});
    join(out.http.routers, d.http.routers, "http.routers", path, reasons);
    join(out.http.services, d.http.services, "http.services", path, reasons);
    join(out.http.middlewares, d.http.middlewares, "http.middlewares", path, reasons);
    join(out.http.servers_transports, d.http.servers_transports, "http.serversTransports", path, reasons);
    join(out.tcp.routers, d.tcp.routers, "tcp.routers", path, reasons);
    join(out.tcp.services, d.tcp.services, "tcp.services", path, reasons);
    join(out.tcp.middlewares, d.tcp.middlewares, "tcp.middlewares", path, reasons);
    join(out.tcp.servers_transports, d.tcp.servers_transports, "tcp.serversTransports", path, reasons);
    join(out.udp.routers, d.udp.routers, "udp.routers", path, reasons);
    join(out.udp.services, d.udp.services, "udp.services", path, reasons);
    join(out.tls.options, d.tls.options, "tls.options", path, reasons);
    join(out.tls.stores, d.tls.stores, "tls.stores", path, reasons);
    for (auto certificate : d.tls.certificates) {
      certificate.owner = path;
      out.tls.certificates.push_back(std::move(certificate));
    }
  }
  return out;
}

}  // namespace fairlead::providers::file
