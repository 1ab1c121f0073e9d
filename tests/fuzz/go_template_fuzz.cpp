// Templates of default rules and files.
#include "providers/template.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::providers;
  static const Template::Fields fields{{"Name", {std::string("web-shop")}},
                                       {"ContainerName", {std::string("shop_web_1")}},
                                       {"Labels", {TemplateMap{{"host", "a.example.com"}, {"empty", ""}}}}};
  const auto made = Template::parse({reinterpret_cast<const char*>(data), size});
  if (made) (void)made->render(fields);
  return 0;
}
