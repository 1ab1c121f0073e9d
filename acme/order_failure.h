#pragma once

#include "acme/client.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::acme {

// An order whose certificate was asked for and is not in hand.
struct OpenOrder {
  std::string url;
  std::string account;  // whose it is
  SharedKey key;        // of the certificate
};

// Why an order brought nothing. Either names are at fault, or the order as a whole is.
struct OrderFailure {
  std::map<std::string, Problem> names;  // those that could not be validated; the others could
  Trouble trouble;                       // when `names` is empty
  // Where the certificate may still come: the next attempt is to go on with it, for another order counts
  // against the authority's limits.
  std::optional<OpenOrder> open;
};

// Finds out which of the names the authority refuses: it may say so (RFC 8555 §6.7.1), when it is asked for
// them and when it looks at them once more at the end.
OrderFailure by_names(const Trouble& trouble, const std::vector<std::string>& names);
// The same of an order that was refused as such, when it was to be made or finalized: "unauthorized" speaks
// of the account then, and not of what answers under a name.
OrderFailure of_order(const Trouble& trouble, const std::vector<std::string>& names);

}  // namespace fairlead::acme
