#include "engine/telemetry/log_records.h"

#include "engine/observe/trace.h"
#include "engine/telemetry/write.h"

namespace fairlead::telemetry {
namespace {

using protozero::pbf_writer;

// Fields of LogRecord.
constexpr protozero::pbf_tag_type kRecordTime = 1;
constexpr protozero::pbf_tag_type kSeverity = 2;
constexpr protozero::pbf_tag_type kSeverityText = 3;
constexpr protozero::pbf_tag_type kBody = 5;
constexpr protozero::pbf_tag_type kRecordAttributes = 6;
constexpr protozero::pbf_tag_type kRecordFlags = 8;
constexpr protozero::pbf_tag_type kRecordTraceId = 9;
constexpr protozero::pbf_tag_type kRecordSpanId = 10;
constexpr protozero::pbf_tag_type kObserved = 11;

std::string_view text(Severity severity) {
  switch (severity) {
    case Severity::Trace: return "TRACE";
    case Severity::Debug: return "DEBUG";
    case Severity::Info: return "INFO";
    case Severity::Warn: return "WARN";
    case Severity::Error: return "ERROR";
    case Severity::Fatal: return "FATAL";
  }
  return {};
}

void add_head(pbf_writer& record, WallTime time, Severity severity) {
  const auto since_epoch = static_cast<std::uint64_t>(time.time_since_epoch().count());
  record.add_fixed64(kRecordTime, since_epoch);
  record.add_fixed64(kObserved, since_epoch);
  record.add_enum(kSeverity, static_cast<std::int32_t>(severity));
  add_text(record, kSeverityText, text(severity));
}

class Attributes final : public observe::FieldVisitor {
 public:
  explicit Attributes(pbf_writer& record) : record_(record) {}
  void text(std::string_view name, std::string_view value) override {
    add_attribute(record_, kRecordAttributes, name, value);
  }
  void number(std::string_view name, std::int64_t value) override {
    add_attribute(record_, kRecordAttributes, name, value);
  }
  void real(std::string_view name, double value) override {
    add_attribute(record_, kRecordAttributes, name, value);
  }

 private:
  pbf_writer& record_;
};

}  // namespace

void append_log_record(std::string& out, WallTime time, Severity severity, std::string_view body) {
  pbf_writer scope(out);
  pbf_writer record(scope, kRecord);
  add_head(record, time, severity);
  pbf_writer value(record, kBody);
  add_text(value, 1, body);
}

void append_access_record(std::string& out, const observe::AccessLine& line, const observe::Facts& facts,
                          std::uint64_t count, observe::TimeText& times) {
  pbf_writer scope(out);
  pbf_writer record(scope, kRecord);
  add_head(record, facts.begun + (facts.record.ended - facts.record.begun), Severity::Info);
  Attributes attributes(record);
  line.visit(facts, count, times, attributes);
  const observe::Trace* trace = facts.trace;
  if (!trace) return;
  const auto add_id = [&](protozero::pbf_tag_type tag, const auto& id) {
    record.add_bytes(tag, reinterpret_cast<const char*>(id.data()), id.size());
  };
  add_id(kRecordTraceId, trace->id());
  add_id(kRecordSpanId, trace->server_span());
  record.add_fixed32(kRecordFlags, trace->sampled() ? 1 : 0);
}

}  // namespace fairlead::telemetry
