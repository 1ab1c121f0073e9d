#pragma once

#include "acme/account.h"
#include "acme/client.h"
#include "acme/solver.h"
#include "acme/store.h"
#include "engine/model/resolvers.h"
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
  Store& store() { return *store_; }
  const std::shared_ptr<Store>& shared_store() const { return store_; }
  Client& client() { return *client_; }
  // How its authority is reached.
  const HttpOptions& http() const { return http_; }
  const std::vector<std::shared_ptr<Solver>>& solvers() const { return solvers_; }
  // Why nothing can be ordered; empty: it can.
  std::string problem() const;

  // The account, registered when there is none: one of this resolver, else one that another resolver of the
  // store has with the same authority, else a new one.
  Answered<Signer> signer(std::stop_token stop);
  // The authority does not know the account any more: the next signer() registers it anew.
  void forget_account(const std::string& url);

  // An authority that does not answer, or asks for patience, is left alone for a while.
  void authority_failed(const Trouble& trouble);
  void authority_answered();
  WallTime closed_until() const;
  // From when on something may be ordered: neither closed nor at the end of what it allows; the past: now.
  WallTime orders_from() const;
  // Why nothing may be ordered now.
  std::string closed_because() const;
  // Counts an order that is about to be made. False: the authority allows no more for now.
  bool claim_order();

  // Renewal information (ARI) is asked for unless the authority offers none.
  bool may_offer_renewal_info() const;
  void offers_no_renewal_info();

 private:
  std::optional<Account> known_account() const;
  WallTime allowance_returns() const;
  bool is_ours(const Account& account) const;

  const std::string name_;
  const model::Acme options_;
  const std::shared_ptr<Store> store_;
  std::string problem_;
  HttpOptions http_;
  std::unique_ptr<Client> client_;
  std::vector<std::shared_ptr<Solver>> solvers_;
  // One registration at a time, among all resolvers of the store that have the same authority.
  std::shared_ptr<std::mutex> account_mutex_;
  std::optional<Signer> signer_;

  std::mutex claim_mutex_;  // one claim at a time

  mutable std::mutex mutex_;  // guards what follows
  int failures_ = 0;
  WallTime closed_until_{};
  std::string closed_because_;
  TimePoint no_renewal_info_until_{};
};

// Directory of an authority, v01 spellings of Let's Encrypt rewritten.
std::string directory_url(const std::string& ca_server);

}  // namespace fairlead::acme
