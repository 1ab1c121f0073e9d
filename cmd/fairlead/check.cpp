#include "cmd/fairlead/check.h"

#include "cmd/fairlead/certificates.h"
#include "cmd/fairlead/client_tls.h"
#include "cmd/fairlead/print.h"
#include "cmd/fairlead/supervisor.h"
#include "engine/admin/internal.h"
#include "engine/admin/view.h"
#include "engine/middleware/registry.h"
#include "engine/model/complaints.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/validate.h"
#include "engine/observe/access_fields.h"
#include "engine/runtime/compile.h"
#include "engine/runtime/exports.h"
#include "engine/tcp/registry.h"
#include "providers/file/contents.h"
#include "providers/file/scan.h"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fairlead::cmd {
namespace {

class Report {
 public:
  explicit Report(const model::Providers& providers) {
    if (providers.docker) not_asked_.emplace_back("@docker");
    if (providers.swarm) not_asked_.emplace_back("@swarm");
    if (providers.http) not_asked_.emplace_back("@http");
    if (providers.rest) not_asked_.emplace_back("@rest");
  }

  void line(bool breaks, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), "{}: {}\n", breaks ? "error" : "notice", one_line(text));
    ++(breaks ? errors_ : notices_);
  }
  void complaint(const model::Complaint& complaint) {
    line(complaint.reason->breaks && !may_come(*complaint.reason), complaint.text());
  }
  // Of errors that keep Fairlead from starting there are none here.
  int end() {
    fmt::format_to(std::back_inserter(out_), "Fairlead would start: errors {}, notices {}\n", errors_,
                   notices_);
    return print(out_, errors_ == 0 ? 0 : 1);
  }

 private:
  // What another provider may have is not known before it is asked.
  bool may_come(const model::Reason& reason) const {
    return reason.kind == model::ReasonKind::MissingReference &&
           std::ranges::any_of(not_asked_, [&](const std::string& provider) {
             return reason.text.find(provider) != std::string::npos;
           });
  }

  std::vector<std::string> not_asked_;
  std::string out_;
  int errors_ = 0;
  int notices_ = 0;
};

// Where the log goes meanwhile.
class ReportSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ReportSink(Report& report) : report_(report) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (message.level >= spdlog::level::warn)
      report_.line(message.level >= spdlog::level::err, {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

  Report& report_;
};

std::shared_ptr<const model::Dynamic> of_files(const model::FileProvider& options, Report& report) {
  namespace file = providers::file;
  const file::Scan scan =
      options.directory.empty() ? file::scan_file(options.filename) : file::scan_directory(options.directory);
  if (!scan.trouble.empty()) report.line(true, scan.trouble);
  file::Contents contents({middleware::type_names(), tcp::type_names()});
  contents.update(scan.texts, std::chrono::steady_clock::now());
  for (const std::string& complaint : contents.complaints()) report.line(true, complaint);
  auto out = std::make_shared<const model::Dynamic>(contents.compose());
  for (const model::Reason& reason : out->reasons)
    if (std::ranges::find(contents.complaints(), reason.text) == contents.complaints().end())
      report.line(reason.breaks,
                  fmt::format("{}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint));
  return out;
}

// Of files only what is wrong on every machine: the user and the file system are others where it will run.
void say_what_is_no_file(std::string_view option, const std::string& path, Report& report) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    report.line(true,
                fmt::format("{}: {} is a directory; an engine makes one where the file to mount is missing "
                            "on its host",
                            option, path));
}

}  // namespace

int check(const InstallConfig& install) {
  if (!install.errors.empty()) {
    std::string out;
    for (const std::string& error : install.errors) out += fmt::format("error: {}\n", one_line(error));
    return print(out + "Fairlead would not start\n", 2);
  }
  Report report(install.options->providers);
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::make_shared<ReportSink>(report)));
  for (const std::string& notice : install.notices) report.line(false, notice);
  say_what_is_no_file("log.filePath", install.options->log.file_path, report);
  if (const auto& access_log = install.options->access_log) {
    say_what_is_no_file("accessLog.filePath", access_log->file_path, report);
    for (const std::string& notice : observe::unknown_fields(access_log->fields)) report.line(false, notice);
  }
  say_what_keeps_providers_from_starting(*install.options);
  say_what_keeps_resolvers_from_work(*install.options);
  runtime::say_what_keeps_exports_from_collectors(*install.options);
  say_what_keeps_clients_from_tls(*install.options);
  std::vector<model::ProviderConfig> parts = {
      {std::string(model::kInternalProvider),
       std::make_shared<const model::Dynamic>(model::internal_config(*install.options))}};
  const auto& file = install.options->providers.file;
  if (file && !(file->directory.empty() && file->filename.empty()))
    parts.push_back({"file", of_files(*file, report)});
  auto merged = std::make_shared<model::Dynamic>(model::merge(parts));
  model::validate(*merged, *install.options);
  // Compiling attaches what it finds wrong, rules and options of middlewares above all.
  const auto sources = std::make_shared<admin::Sources>();
  runtime::Compiler compiler([&](std::string_view name) { return admin::internal_service(name, sources); });
  const auto snapshot = compiler.compile(install.options, merged, nullptr);
  for (const model::Complaint& complaint : model::complaints(*merged)) report.complaint(complaint);
  const int status = report.end();
  spdlog::set_level(spdlog::level::off);  // nobody looks into the report after its end
  return status;
}

}  // namespace fairlead::cmd
