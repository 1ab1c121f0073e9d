#pragma once

#include "acme/account.h"
#include "acme/authority_files.h"
#include "acme/client.h"
#include "acme/open_orders.h"
#include "acme/solver.h"
#include "acme/store.h"
#include "engine/model/resolvers.h"
#include "engine/model/static.h"
#include "engine/tls/challenge_table.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace fairlead::acme {

// Makes the solver of a dnsChallenge.
using MakeDns01 =
    std::function<Configured<std::unique_ptr<Solver>>(const model::DnsChallenge&, const Environment&)>;

// What a resolver is made with, besides its options.
struct Surroundings {
  tls::Challenges& challenges;
  Environment environment;
  MakeDns01 make_dns01;
  std::string http01_obstacle;  // why HTTP-01 cannot be answered; empty: it can
};

// One certificate resolver at work: its authority, account, challenges and store. Options do not change;
// changed ones make another. Any thread.
class Resolver {
 public:
  // `problem` tells why it cannot order; it stays defined all the same.
  Resolver(std::string name, const model::Acme& options, std::shared_ptr<Store> store,
           const Surroundings& surroundings);

  const std::string& name() const { return name_; }
  const model::Acme& options() const { return options_; }
  const std::string& http01_obstacle() const { return http01_obstacle_; }
  Store& store() { return *store_; }
  Client& client() { return *client_; }
  // How its authority is reached.
  const HttpOptions& http() const { return http_; }
  const std::vector<std::shared_ptr<Solver>>& solvers() const { return solvers_; }
  // Why nothing can be ordered; empty: it can.
  std::string problem() const;
  // Stands for all that decides whether a name can be proven: authority, account, challenges and what their
  // provider reads from the environment.
  const std::string& setup() const { return setup_; }
  // Whether a file of caCertificates is another one than was read; accept_files() lets it be. Of the
  // planner's thread.
  bool files_changed() const { return authority_files_.changed(); }
  void accept_files() { authority_files_.accept(); }
  // What the store knows of failures counts no more where another setup met them: who mends the cause need
  // not wait. Limits stay those of their authority.
  void forget_other_setup();

  // The account, registered when there is none: one of this resolver, else one that another resolver of the
  // store has with the same authority, else a new one. Trouble::Kind::Stopped also while the authority is
  // left alone: it is planned again. Other trouble is noted here (authority_failed()), but for an account
  // that the authority does not know any more.
  Answered<Signer> signer(std::stop_token stop);
  // The authority does not know the account any more: the next signer() registers it anew.
  void forget_account(const std::string& url);

  // An authority that does not answer, or asks for patience, is left alone for a while.
  void authority_failed(const Trouble& trouble);
  void authority_answered();
  WallTime closed_until() const;
  // From when on something may be ordered: neither closed nor at the end of what it allows; the past: now.
  WallTime orders_from() const;
  // Why nothing may be ordered now, in the authority's words, and its Problem::type, which has a meaning().
  struct Closed {
    std::string because;
    std::string type;
  };
  Closed closed_because() const;
  OpenOrders& open_orders() { return open_orders_; }
  // Counts an order that is about to be made. False: the authority allows no more for now.
  bool claim_order();

  // Renewal information (ARI) is asked for unless the authority offers none.
  bool may_offer_renewal_info() const;
  void offers_no_renewal_info();

 private:
  Answered<Signer> make_signer(std::stop_token stop);
  std::optional<Account> known_account() const;
  WallTime allowance_returns() const;
  bool is_ours(const Account& account) const;

  const std::string name_;
  const model::Acme options_;
  const std::string http01_obstacle_;
  const std::shared_ptr<Store> store_;
  std::string problem_;
  std::string setup_;
  AuthorityFiles authority_files_;
  HttpOptions http_;
  std::unique_ptr<Client> client_;
  std::vector<std::shared_ptr<Solver>> solvers_;
  // One registration at a time, among all resolvers of the store that have the same authority.
  std::shared_ptr<std::mutex> account_mutex_;
  std::optional<Signer> signer_;

  std::mutex claim_mutex_;  // one claim at a time
  OpenOrders open_orders_;

  mutable std::mutex mutex_;  // guards what follows
  int failures_ = 0;
  TimePoint closed_until_{};  // a wall clock that is ahead, and is put right, must not close it for years
  Closed closed_because_;
  TimePoint no_renewal_info_until_{};
};

// Why a resolver of these options could obtain nothing; empty: it could. Asks nobody and creates nothing.
std::string resolver_problem(const model::Acme& options, const model::Static& install,
                             const Environment& environment, const MakeDns01& make_dns01);

// Directory of an authority, v01 spellings of Let's Encrypt rewritten.
std::string directory_url(const std::string& ca_server);

}  // namespace fairlead::acme
