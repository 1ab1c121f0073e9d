#include "engine/exchange/own_page.h"

#include "engine/base/strings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>

namespace fairlead::exchange {
namespace {

// Browsers send half a dozen; more is nothing that a person asks for.
constexpr int kMaxAcceptParts = 64;

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  return out;
}

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;"
    "font:16px/1.5 system-ui,sans-serif;background:#f7f7f8;color:#1b1f24}"
    "main{max-width:34rem;padding:2rem}"
    "b{font-size:3rem;font-weight:300;color:#6b7280}"
    "h1{margin:.2rem 0 1rem;font-size:1.4rem}"
    "small{color:#6b7280;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e8eb}}";

// "0.8" in thousandths; 1000 when there is no usable weight.
int weight(std::string_view parameters) {
  for (std::string_view part : split(parameters, ';')) {
    part = trim(part);
    if (!istarts_with(part, "q=")) continue;
    part.remove_prefix(2);
    double value = 1;
    std::from_chars(part.data(), part.data() + part.size(), value);
    return value <= 0 ? 0 : value >= 1 ? 1000 : static_cast<int>(value * 1000);
  }
  return 1000;
}

struct Offer {
  std::string_view media_type;
  OwnForm form;
};
constexpr std::array kOffers = {
    Offer{"text/html", OwnForm::Html},
    Offer{"application/xhtml+xml", OwnForm::Html},
    Offer{"application/problem+json", OwnForm::Json},
    Offer{"application/json", OwnForm::Json},
    Offer{"text/plain", OwnForm::Text},
};

}  // namespace

std::string as_html(const OwnPage& page) {
  std::string extra;
  if (!page.sentence.empty()) extra += fmt::format("<p>{}</p>", escaped(page.sentence));
  if (!page.reason.empty()) extra += fmt::format("<p>Reason: {}</p>", escaped(page.reason));
  if (!page.detail.empty()) extra += fmt::format("<p>{}</p>", escaped(page.detail));
  const std::string title = escaped(page.title);
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>{0} {1}</title><style>{2}</style></head>"
      "<body><main><b>{0}</b><h1>{1}</h1>{3}<small>Request {4}</small></main></body></html>\n",
      page.status, title, kStyle, extra, escaped(page.request_id));
}

std::string as_problem_json(const OwnPage& page) {
  nlohmann::ordered_json out{{"type", "about:blank"}, {"title", page.title}, {"status", page.status}};
  if (!page.sentence.empty()) out["detail"] = page.sentence;
  if (!page.reason.empty()) out["reason"] = page.reason;
  if (!page.detail.empty()) out["reasonDetail"] = page.detail;
  out["requestId"] = page.request_id;
  // Texts may quote bytes of a request that are no UTF-8; they are replaced, never thrown upon.
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

OwnForm preferred_form(std::string_view accept) {
  OwnForm best = OwnForm::Text;
  int best_weight = 0;
  for (int parts = 0; !accept.empty() && parts < kMaxAcceptParts; ++parts) {
    const std::size_t comma = accept.find(',');
    const std::string_view part = accept.substr(0, comma);
    accept.remove_prefix(comma == accept.npos ? accept.size() : comma + 1);
    const std::size_t semicolon = part.find(';');
    const std::string_view type = trim(part.substr(0, semicolon));
    for (const Offer& offer : kOffers) {
      if (!iequals(type, offer.media_type)) continue;
      const int now = semicolon == part.npos ? 1000 : weight(part.substr(semicolon + 1));
      if (now > best_weight) best = offer.form, best_weight = now;  // the first of equals wins
      break;
    }
  }
  return best;
}

}  // namespace fairlead::exchange
