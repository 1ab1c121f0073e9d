#include "providers/normalize.h"

#include <re2/re2.h>

namespace fairlead::providers {

std::string normalize(std::string_view name) {
  static const RE2 word(R"(([\p{L}\p{N}]+))");
  re2::StringPiece rest(name.data(), name.size());
  re2::StringPiece part;
  std::string out;
  while (RE2::FindAndConsume(&rest, word, &part)) {
    if (!out.empty()) out += '-';
    out.append(part.data(), part.size());
  }
  return out;
}

}  // namespace fairlead::providers
