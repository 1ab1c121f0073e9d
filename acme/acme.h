#pragma once

#include "acme/chain.h"
#include "acme/export.h"
#include "acme/order.h"
#include "acme/order_threads.h"
#include "acme/plan.h"
#include "acme/preflight.h"
#include "acme/report.h"
#include "acme/resolver.h"
#include "acme/wanted.h"
#include "engine/tls/certificate_table.h"
#include "engine/tls/challenge_table.h"

#include <atomic>
#include <condition_variable>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fairlead::acme {

// Obtains and renews certificates (RFC 8555). The configuration goes in, certificates come out in the tables
// that handshakes read; no snapshot and no route is touched.
//
// A planner thread decides what is to be ordered (plan.h), at every event and when the time for something has
// come; order threads (order_threads.h) carry it out side by side, so that a slow name delays no other. What
// is obtained is kept in the store of its resolver (store.h). Without resolvers there is no thread at all.
class Acme {
 public:
  struct Parts {
    tls::Certificates& certificates;  // outlive this object
    tls::Challenges& challenges;
    Environment environment;
    MakeDns01 make_dns01;
    HostsOfRule hosts;
  };
  explicit Acme(Parts parts);
  ~Acme();
  Acme(const Acme&) = delete;
  Acme& operator=(const Acme&) = delete;

  // A configuration that is in force. Any thread; returns at once.
  void update(std::shared_ptr<const model::Static> install, std::shared_ptr<const model::Dynamic> dynamic);
  // Ends what runs; certificates stay in force.
  void stop();

  // The answer to an HTTP-01 token, of this or another instance. Any thread.
  std::optional<std::string> http01(std::string_view token) const;
  // Never null. Any thread.
  std::shared_ptr<const Report> report() const;

  // Commands, of any thread: what is done, or why not, in a sentence.
  using Said = std::expected<std::string, std::string>;
  // Orders the certificates that hold the name anew, whatever stands against it.
  Said renew(const std::string& name);
  // Removes certificates that no route uses; their names.
  std::vector<std::string> prune();
  // Writes all certificates as PEM files below `folder`, by default that of certificates.export.
  Said export_to(const std::string& folder);
  // Begins a trial order that keeps nothing, at `server`, by default the authority's staging directory. The
  // number is for dry_run_result(), which answers nothing while it runs.
  std::expected<int, std::string> dry_run(const std::string& name, const std::string& server);
  std::optional<Said> dry_run_result(int number);

 private:
  // An issued certificate, read once.
  struct Known {
    StoredCertificate stored;
    Chain chain;
    tls::CertificatePtr certificate;
    std::string resolver;
    WallTime renew_at{};
  };
  struct Job {
    enum class Kind : unsigned char { Order, RenewalInfo, DryRun };
    Kind kind = Kind::Order;
    std::shared_ptr<Resolver> resolver;
    Task task;                // of an order
    std::string fingerprint;  // of the certificate that renewal information is asked for
    std::string renewal_id;   // of that, or of the certificate that an order replaces
    int number = 0;           // of a dry run
  };

  class Reporter;

  // The planner's thread.
  void run_planner(std::stop_token stop);
  void apply_configuration();
  bool authorities_changed();
  bool clock_was_put_back() const;
  void start_planner();
  bool refresh_stores();
  void plan();
  void collect_known();
  void ask_for_renewal_info(const std::set<std::string>& used, WallTime now);
  void forget_outdated(const std::set<std::string>& used, WallTime now);
  void publish(WallTime now);
  void export_issued(const model::Certificates& options, bool changed, WallTime now);
  void make_report(WallTime now);
  void start(Job job);

  // Order threads.
  void carry_out(const Job& job, const std::stop_token& stop);
  void order(const Job& job, const std::stop_token& stop);
  bool order_names(const Job& job, const std::stop_token& stop);
  bool order_singly(const Job& job, const std::vector<std::string>& names, const std::stop_token& stop);
  void ask_renewal_info(const Job& job, const std::stop_token& stop);
  void try_dry_run(const Job& job, const std::stop_token& stop);
  void keep(Resolver& resolver, const Task& task, const std::vector<std::string>& names,
            const Issued& issued);
  void note_failures(Resolver& resolver, const Task& task, const std::map<std::string, Problem>& names);
  void finished(const Job& job);
  bool is_wanted(const Task& task) const;
  void look_before(Resolver& resolver, const std::vector<std::string>& names);
  void wake();

  const Parts parts_;
  Exporter exporter_;
  Preflight preflight_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any events_;
  std::shared_ptr<const model::Static> install_;
  std::shared_ptr<const model::Dynamic> dynamic_;
  bool configuration_changed_ = false;
  bool event_ = false;
  std::vector<Wanted> wanted_;
  std::vector<Unusable> unusable_;
  std::map<std::string, std::shared_ptr<Resolver>> resolvers_;
  std::set<std::string> busy_;                // names of orders that wait or run
  std::map<std::string, std::string> steps_;  // by the first name of a running order: what it does
  bool stepped_ = false;                      // since the last report
  std::map<std::string, TimePoint>
      held_by_other_;             // names that another instance orders, and when to look again
  std::set<std::string> asked_;   // fingerprints whose renewal information is being asked for
  std::set<std::string> forced_;  // fingerprints to be renewed now
  std::map<int, std::optional<Said>> dry_runs_;
  int last_dry_run_ = 0;
  std::shared_ptr<const Report> report_ = std::make_shared<const Report>();

  OrderThreads order_threads_;

  // Of the planner's thread.
  std::map<std::string, std::weak_ptr<Store>> stores_;  // by path, one for all its spellings
  std::vector<std::shared_ptr<const Known>> known_;
  std::unordered_map<tls::CertificateTextPtr, std::shared_ptr<const Known>> read_;  // null: it cannot be used
  std::vector<tls::CertificatePtr> published_;
  tls::CertificatePtr published_default_;
  std::string exported_to_;
  WallTime next_plan_ = WallTime::max();
  WallTime planned_{};          // the time of the last plan, by the clock on the wall
  TimePoint planned_after_;     // and by the one that only goes on
  std::set<std::string> used_;  // fingerprints of certificates that serve somebody, by that plan
  TimePoint reported_at_;
  std::atomic<bool> shared_ = false;  // another instance uses one of the stores

  std::mutex planner_mutex_;  // guards what follows
  bool stopped_ = false;
  std::jthread planner_;
};

}  // namespace fairlead::acme
