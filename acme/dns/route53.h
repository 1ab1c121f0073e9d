#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::acme::dns {

// Amazon Route 53. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN), or the profile
// AWS_PROFILE of AWS_SHARED_CREDENTIALS_FILE; AWS_HOSTED_ZONE_ID; AWS_ENDPOINT_URL_ROUTE_53 for another
// place.
Configured<MadeProvider> make_route53(Settings settings, ZoneFinder find, const Environment& environment);

struct AwsKeys {
  std::string id, secret, session;
};

// The fields that sign a call (Signature Version 4); `time`: "20150830T123600Z". The query of the URL must be
// in the order of its names.
std::vector<std::string> aws_signature(const AwsKeys& keys, const std::string& region,
                                       const std::string& service, const std::string& method,
                                       const std::string& url, const std::string& body,
                                       const std::string& time);

// Texts of all elements <tag>…</tag>, in order, as they stand.
std::vector<std::string> xml_elements(std::string_view xml, std::string_view tag);

}  // namespace fairlead::acme::dns
