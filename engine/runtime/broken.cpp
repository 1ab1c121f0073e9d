#include "engine/runtime/broken.h"

#include <fmt/format.h>

namespace fairlead::runtime {

Broken::Broken(std::string what, const std::vector<model::Reason>& reasons)
    : short_text_("broken configuration") {
  full_text_ = std::move(what);
  for (const model::Reason& reason : reasons) {
    if (!reason.breaks) continue;
    if (short_text_ == "broken configuration") short_text_ = model::name(reason.kind);
    full_text_ += fmt::format("; {}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint);
  }
}

Task<exchange::Response> Broken::serve(exchange::Exchange& x) const {
  x.record.reason = short_text_;
  x.record.cause = Error{503, Fault::Proxy, false, full_text_};
  exchange::Response response = exchange::answer(x, 503);
  response.cause = x.record.cause;
  return Task<exchange::Response>::ready(std::move(response));
}

}  // namespace fairlead::runtime
