#include "engine/runtime/tracer.h"

#include <gtest/gtest.h>

namespace fairlead::runtime {
namespace {

TEST(Tracer, ComparesHeaderNamesInLowerCase) {
  model::Tracing options;
  options.captured_request_headers = {"X-Tenant"};
  options.sample_rate = 0.25;

  const auto tracer = make_tracer(options);

  EXPECT_EQ(tracer->request_headers, std::vector<std::string>{"x-tenant"});
  EXPECT_EQ(tracer->sample_rate, 0.25);
}

TEST(Tracer, VerbosityIsTheRoutersElseTheEntryPoints) {
  model::EntryPoint entry_point;
  model::HttpRouter router;
  EXPECT_EQ(trace_verbosity(router, entry_point), "minimal");

  entry_point.observability.trace_verbosity = "detailed";
  EXPECT_EQ(trace_verbosity(router, entry_point), "detailed");

  router.observability.emplace().trace_verbosity = "minimal";
  EXPECT_EQ(trace_verbosity(router, entry_point), "minimal");
}

TEST(Tracer, DetailsAreLookedForOnlyWhileTracingIsOn) {
  model::Static install;
  model::Dynamic dynamic;
  dynamic.http.routers["a@file"].options.observability.emplace().trace_verbosity = "detailed";
  EXPECT_FALSE(wants_detailed_traces(install, dynamic));

  install.tracing.emplace();
  EXPECT_TRUE(wants_detailed_traces(install, dynamic));
  EXPECT_FALSE(wants_detailed_traces(install, {}));
}

TEST(Tracer, SpansOfMiddlewaresAreCalledAsTheirType) { EXPECT_EQ(span_name("addPrefix"), "AddPrefix"); }

}  // namespace
}  // namespace fairlead::runtime
