#include "acme/order_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::acme {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Trouble refusal(std::string type, std::string detail, std::vector<Problem::Part> parts = {}) {
  Trouble out;
  out.kind = Trouble::Kind::Refused;
  out.problem.type = std::move(type);
  out.problem.detail = std::move(detail);
  out.problem.parts = std::move(parts);
  return out;
}

std::vector<std::string> refused(const Trouble& trouble, const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& [name, problem] : by_names(trouble, names).names) out.push_back(name);
  return out;
}

TEST(OrderFailure, BlamesTheNamesThatTheAuthorityNames) {
  const Trouble trouble = refusal("caa", "Refer to sub-problems",
                                  {{.name = "b.test", .type = "", .detail = "forbidden"},
                                   {.name = "wild.test", .type = "caa", .detail = "forbidden"},
                                   {.name = "other.test", .type = "caa", .detail = "forbidden"}});

  const OrderFailure failure = by_names(trouble, {"a.test", "b.test", "*.wild.test"});

  EXPECT_EQ(failure.names.size(), 2U);
  EXPECT_EQ(failure.names.at("b.test").text(), "caa: forbidden");
  EXPECT_TRUE(failure.names.contains("*.wild.test")) << "called by what it stands below";
}

TEST(OrderFailure, FindsTheNameInTheText) {
  const std::vector<std::string> names = {"test", "a.test", "b.a.test", "a.test.example"};

  EXPECT_THAT(refused(refusal("caa", "While processing CAA for a.test: no"), names), ElementsAre("a.test"));
  EXPECT_THAT(refused(refusal("rejectedIdentifier", "Cannot issue for \"a.test\"."), names),
              ElementsAre("a.test"));
  EXPECT_THAT(refused(refusal("caa", "no issuance for a.test."), names), ElementsAre("a.test"));
  EXPECT_THAT(refused(refusal("unauthorized", "not for a.test"), names), IsEmpty())
      << "that may be about the account";
}

TEST(OrderFailure, TellsAnAccountThatMayNotFromANameThatMayNot) {
  const OrderFailure account =
      of_order(refusal("unauthorized", "Account has status \"deactivated\""), {"a.test"});

  EXPECT_THAT(account.names, IsEmpty());
  EXPECT_EQ(account.trouble.text(), "account: unauthorized: Account has status \"deactivated\"");
  EXPECT_NE(meaning(account.trouble.problem.type).find("deactivated"), std::string_view::npos);
  EXPECT_TRUE(
      of_order(refusal("unauthorized", "no", {{.name = "a.test", .type = "", .detail = "no"}}), {"a.test"})
          .names.contains("a.test"));
}

}  // namespace
}  // namespace fairlead::acme
