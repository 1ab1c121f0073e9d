#pragma once

#include "engine/model/observability.h"
#include "engine/model/status_range.h"
#include "engine/observe/access_fields.h"
#include "engine/observe/facts.h"
#include "engine/observe/time_text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::observe {

// Takes the fields of a line one by one, where it does not become text.
class FieldVisitor {
 public:
  virtual void text(std::string_view name, std::string_view value) = 0;
  virtual void number(std::string_view name, std::int64_t value) = 0;
  virtual void real(std::string_view name, double value) = 0;

 protected:
  ~FieldVisitor() = default;
};

// The text of an access log line, and which exchanges get one. Immutable; shared by all workers.
class AccessLine {
 public:
  explicit AccessLine(const model::AccessLog& options);

  // Whether the log is about such requests at all, and counts them: addInternals and what the router wants.
  bool concerns(const Record& record) const { return record.log && (!record.internal || internals_); }
  // Of those, which get a line: accessLog.filters.
  bool wanted(const Record& record) const;
  // One line with its line feed. `count` numbers the requests since the start.
  void append(std::string& out, const Facts& facts, std::uint64_t count, TimeText& times) const;
  // The fields of the JSON form, headers too, whatever the form of this line; without those of the logger.
  void visit(const Facts& facts, std::uint64_t count, TimeText& times, FieldVisitor& visitor) const;
  // Whether heads of servers have to be kept for it.
  bool wants_origin_head() const { return form_ == Form::Json && headers_.any(); }
  bool keeps_headers() const { return headers_.any(); }

 private:
  enum class Form : std::uint8_t { Common, GenericClf, Json };

  void append_json(std::string& out, const Facts& facts, std::uint64_t count, TimeText& times) const;
  template <class Out>
  void put_field(Out& out, AccessField field, const Facts& facts, std::uint64_t count, TimeText& times) const;
  void append_common(std::string& out, const Facts& facts, std::uint64_t count, TimeText& times) const;
  std::string_view path(const Record& record) const;

  Form form_;
  KeptFields fields_;
  KeptHeaders headers_;
  bool keep_query_;
  bool internals_;
  bool filtered_ = false;
  bool retried_ = false;
  std::vector<model::StatusRange> statuses_;
  Duration min_duration_;
};

}  // namespace fairlead::observe
