#include "engine/model/complaints.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

std::vector<std::string> texts(const std::vector<Complaint>& complaints) {
  std::vector<std::string> out;
  for (const Complaint& complaint : complaints) out.push_back(complaint.text());
  return out;
}

TEST(Complaints, NameTheKindAndThePlaceOfTheElement) {
  Dynamic dynamic;
  auto& router = dynamic.tcp.routers["db@file"];
  router.origin = {"sites.yml", 4, 7};
  router.warn(ReasonKind::BadOption, "unknown option rul", "did you mean `rule`?");
  auto& certificate = dynamic.tls.certificates.emplace_back();
  certificate.origin = {"sites.yml", 9, 5};
  certificate.options.cert_file = "/certs/a.crt";
  certificate.break_off(ReasonKind::BadOption, "a certificate needs certFile and keyFile");
  EXPECT_EQ(texts(complaints(dynamic)),
            (std::vector<std::string>{
                "TCP router db@file (sites.yml:4:7): unknown option rul; did you mean `rule`?",
                "TLS certificate /certs/a.crt (sites.yml:9:5): a certificate needs certFile and keyFile"}));
}

TEST(Complaints, NeverShowAKey) {
  Dynamic dynamic;
  auto& certificate = dynamic.tls.certificates.emplace_back();
  certificate.origin = {"sites.yml", 1, 1};
  certificate.options.key_file = "-----BEGIN PRIVATE KEY-----\nsecret";
  certificate.break_off(ReasonKind::BadOption, "is incomplete");
  EXPECT_EQ(texts(complaints(dynamic)),
            std::vector<std::string>{"TLS certificate PEM text (sites.yml:1:1): is incomplete"});
}

TEST(Complaints, AreNewWhenTheElementHadThemNot) {
  Dynamic before;
  before.http.services["app@file"].warn(ReasonKind::BadOption, "a");
  Dynamic now = before;
  now.http.services["app@file"].origin = {"sites.yml", 12, 3};  // it moved in its file
  now.http.services["app@file"].warn(ReasonKind::BadOption, "b");
  now.tcp.services["app@file"].warn(ReasonKind::BadOption, "a");
  EXPECT_EQ(texts(new_complaints(now, before)),
            (std::vector<std::string>{"service app@file (sites.yml:12:3): b", "TCP service app@file (): a"}));
}

}  // namespace
}  // namespace fairlead::model
