#pragma once

#include "engine/observe/metric_writer.h"
#include "engine/observe/metrics.h"

namespace fairlead::observe {

// http.server.request.duration and http.client.request.duration of OpenTelemetry's semantic conventions, from
// counters that were made with MetricOptions::semantic.
void write_semantic_durations(MetricWriter& out, Metrics& metrics);

}  // namespace fairlead::observe
