#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/http/fields.h"
#include "engine/schema/problem.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

// "x-forwarded-FOR" as "X-Forwarded-For", which is how Go spells the fields it sets.
std::string canonical_field_name(std::string_view name);

// A value written as a block of YAML (`contentSecurityPolicy: |`), as Go sends it: line feeds are spaces,
// those at the ends are left out. A carriage return stays, and is refused.
std::string on_one_line(std::string_view text);

// Fields set and removed by customRequestHeaders or customResponseHeaders; an empty value removes. Applied in
// the order of names. Views handed out live as long as this object, so as long as the snapshot.
class HeaderEdits {
 public:
  // `option` names the table in errors (no field name, a value with line ends). Names that frame a message
  // are left out with a notice: they say how long a body is, which only the codec knows.
  static Configured<HeaderEdits> make(std::string_view option,
                                      const std::map<std::string, std::string>& fields,
                                      schema::Problems& notices);

  // "Host" changes the host asked for; an empty X-Forwarded-For keeps the proxying step from adding one.
  // Other spellings that a server might take for the same name (X_Auth_User) go away with the name itself.
  void apply_to_request(exchange::Exchange& x) const;
  void apply_to_response(http::Fields& fields) const;

  bool empty() const { return edits_.empty() && !host_; }

 private:
  struct Edit {
    std::string name;
    std::string value;
    http::Name known;
  };
  struct Host {
    std::string authority;
    std::string canonical;
  };
  std::vector<Edit> edits_;
  std::optional<Host> host_;
};

}  // namespace fairlead::middleware
