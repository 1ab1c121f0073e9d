#include "engine/routing/http_router.h"

namespace fairlead::routing {
namespace {

Subject subject_of(const http::RequestHead& head, const MatchContext& context) {
  Subject subject;
  subject.host = head.host;
  subject.path = matching_path(head.path, context.scratch.path);
  subject.head = &head;
  subject.client = context.client;
  subject.scratch = &context.scratch;
  return subject;
}

}  // namespace

HttpRouter HttpRouter::Builder::build() && {
  rules_.build();
  return HttpRouter(std::move(rules_));
}

std::optional<std::uint32_t> HttpRouter::match(const http::RequestHead& head,
                                               const MatchContext& context) const {
  return rules_.match(subject_of(head, context));
}

Trace HttpRouter::trace(const http::RequestHead& head, const MatchContext& context, TraceScope scope,
                        std::size_t max_lines) const {
  return rules_.trace(subject_of(head, context), scope, max_lines);
}

}  // namespace fairlead::routing
