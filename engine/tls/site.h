#pragma once

#include "engine/model/tls.h"
#include "engine/tls/certificate_table.h"
#include "engine/tls/challenge_table.h"
#include "engine/tls/context.h"
#include "engine/tls/files.h"
#include "engine/tls/host_table.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::tls {

// What workers and the certificate planner share about TLS: outlives every snapshot.
struct Tables {
  Certificates certificates;
  Challenges challenges;
};

// One router's wish about the names it serves.
struct Wish {
  std::string router;
  std::vector<std::string> hosts;  // canonical; wildcards as "*.example.com"
  std::string options;             // "default" or "strict@file"
};

// A disagreement that was settled; belongs to every router named.
struct Dispute {
  std::vector<std::string> routers;
  std::string what;
};

// Turns the TLS part of configurations into contexts and certificates, on the control thread. What has not
// changed is used again, and what was good stays when its file goes bad.
class Site {
 public:
  // `speaks`: protocols that connections can be given to.
  Site(std::shared_ptr<Tables> tables, std::vector<std::string> speaks);

  // Builds options and certificates of `config`, attaches what is wrong to its elements, and puts the
  // certificates in force.
  void build(model::Tls& config);
  // The options of that name as last built; null when they are not usable.
  ServerContextPtr options(const std::string& name) const;
  // What is to be said of a router whose options are not usable: which, and why.
  std::string unusable(const std::string& name) const;
  // The same for connections whose bytes are not ours to read: every protocol of alpnProtocols can be agreed
  // on, whether a codec speaks it or not.
  ServerContextPtr raw_options(const std::string& name);
  // Who gets which options at one entry point.
  std::shared_ptr<const HostTable> hosts(const std::vector<Wish>& wishes, std::vector<Dispute>& disputes);

  // Whether a file that the configuration names has changed, or a certificate has begun or ended: build
  // again.
  bool files_changed() { return files_.poll() || tables_->certificates.outdated(); }
  Files& files() { return files_; }
  const std::shared_ptr<Tables>& tables() const { return tables_; }

 private:
  struct Options {
    model::TlsOptions model;
    ServerContextPtr context;
    ServerContextPtr raw{};    // once it was asked for
    std::string problem = {};  // why there is no context
  };
  CertificatePtr certificate(const std::string& cert_file, const std::string& key_file, std::string& problem);
  ServerContextPtr context(const std::string& name, const model::TlsOptions& options,
                           model::Element<model::TlsOptions>* element);
  HostTable::Choice settle(const std::string& host, const std::vector<const Wish*>& wishes,
                           std::vector<Dispute>& disputes);

  std::shared_ptr<Tables> tables_;
  std::vector<std::string> speaks_;
  Files files_;
  std::map<std::string, Options, std::less<>> options_;
  std::string default_problem_;
  // Certificates by their two files: the last good one, and the versions it was read at.
  struct Kept {
    std::uint64_t cert_version = 0;
    std::uint64_t key_version = 0;
    CertificatePtr certificate;
    std::string problem;
    bool used = true;
  };
  std::unordered_map<std::string, Kept> kept_;
  // Contexts by what they are made of: equal ones are one.
  std::unordered_map<std::uint64_t, std::weak_ptr<const ServerContext>> contexts_;
};

}  // namespace fairlead::tls
