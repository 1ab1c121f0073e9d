#include "acme/dns/tsig.h"

#include "acme/dns/message.h"
#include "acme/encoding.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <optional>

namespace fairlead::acme::dns {
namespace {

constexpr std::uint16_t kFudge = 300;  // s that clocks may differ, RFC 8945 §10
constexpr int kNotAuth = 9;
constexpr int kBadSignature = 16, kBadKey = 17, kBadTime = 18;

struct Algorithm {
  std::string_view name;
  const EVP_MD* (*digest)();
};
constexpr Algorithm kAlgorithms[] = {
    {"hmac-md5.sig-alg.reg.int", EVP_md5}, {"hmac-sha1", EVP_sha1},     {"hmac-sha224", EVP_sha224},
    {"hmac-sha256", EVP_sha256},           {"hmac-sha384", EVP_sha384}, {"hmac-sha512", EVP_sha512},
};

const Algorithm* find_algorithm(std::string_view name) {
  const auto* const found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == std::end(kAlgorithms) ? nullptr : found;
}

std::string mac(const TsigKey& key, std::string_view text) {
  const Algorithm* algorithm = find_algorithm(key.algorithm);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(algorithm->digest(), key.secret.data(), static_cast<int>(key.secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

void put_time(std::string& out, std::uint64_t seconds) {
  put16(out, static_cast<std::uint32_t>(seconds >> 32));
  put32(out, static_cast<std::uint32_t>(seconds));
}

// The variables that are signed with the message (RFC 8945 §4.3.3).
std::string variables(const TsigKey& key, std::uint64_t time, std::uint16_t fudge, std::uint16_t error,
                      std::string_view other) {
  std::string out;
  put_name(out, key.name);
  put16(out, kClassAny);
  put32(out, 0);
  put_name(out, key.algorithm);
  put_time(out, time);
  put16(out, fudge);
  put16(out, error);
  put16(out, static_cast<std::uint32_t>(other.size()));
  out += other;
  return out;
}

// What a TSIG record says, behind its algorithm's name.
struct Signature {
  std::uint64_t time = 0;
  std::uint16_t fudge = 0, original_id = 0, error = 0;
  std::string_view mac, other;
};

std::optional<Signature> read_signature(const ResourceRecord& record, const TsigKey& key) {
  std::string algorithm;
  put_name(algorithm, key.algorithm);
  const std::string_view data = record.data;
  if (record.name != key.name || data.size() < algorithm.size() + 10 ||
      !iequals(data.substr(0, algorithm.size()), algorithm))
    return std::nullopt;
  std::size_t at = algorithm.size();
  Signature out;
  out.time =
      std::uint64_t{get16(data, at)} << 32 | std::uint64_t{get16(data, at + 2)} << 16 | get16(data, at + 4);
  out.fudge = get16(data, at + 6);
  const std::size_t size = get16(data, at + 8);
  at += 10;
  if (data.size() < at + size + 6) return std::nullopt;
  out.mac = data.substr(at, size);
  at += size;
  out.original_id = get16(data, at);
  out.error = get16(data, at + 2);
  const std::size_t other = get16(data, at + 4);
  if (data.size() != at + 6 + other) return std::nullopt;
  out.other = data.substr(at + 6);
  return out;
}

std::string error_words(int error, const TsigKey& key) {
  switch (error) {
    case kBadSignature: return fmt::format("the secret of key {} is not the server's (BADSIG)", key.name);
    case kBadKey: return fmt::format("the server knows no key {} with {} (BADKEY)", key.name, key.algorithm);
    case kBadTime: return "the clocks of the two machines differ by more than five minutes (BADTIME)";
    default: return fmt::format("TSIG error {}", error);
  }
}

}  // namespace

std::expected<TsigKey, std::string> make_tsig_key(const std::string& name, const std::string& algorithm,
                                                  const std::string& secret) {
  TsigKey key{.name = canonical(name), .algorithm = canonical(algorithm), .secret = {}};
  if (key.algorithm == "hmac-md5") key.algorithm = kAlgorithms[0].name;
  std::string wire;
  if (key.name.empty() || !put_name(wire, key.name))
    return std::unexpected(fmt::format("{} is no name of a key", fairlead::quoted(name)));
  if (!find_algorithm(key.algorithm))
    return std::unexpected(fmt::format(
        "there is no algorithm {}; hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 and "
        "hmac-sha512 are known",
        fairlead::quoted(algorithm)));
  auto bytes = from_base64(secret);
  if (!bytes || bytes->empty()) return std::unexpected("the secret is not base64");
  key.secret = std::move(*bytes);
  return key;
}

std::expected<TsigKey, std::string> read_tsig_key(std::string_view text) {
  // Words, with the quotation marks and punctuation between them left out.
  std::vector<std::string> words;
  bool quoted_now = false;
  for (std::string word; const char c : std::string(text) + '\n') {
    const bool breaks =
        !quoted_now && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' || c == '{' || c == '}');
    if (c == '"')
      quoted_now = !quoted_now;
    else if (!breaks)
      word += c;
    else if (!word.empty())
      words.push_back(std::exchange(word, {}));
  }
  std::string name, algorithm, secret;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "key" && name.empty())
      name = words[++i];
    else if (words[i] == "algorithm" && algorithm.empty())
      algorithm = words[++i];
    else if (words[i] == "secret" && secret.empty())
      secret = words[++i];
  }
  if (name.empty() || algorithm.empty() || secret.empty())
    return std::unexpected("the file does not hold key, algorithm and secret as tsig-keygen writes them");
  return make_tsig_key(name, algorithm, secret);
}

std::string sign(std::string& message, const TsigKey& key, std::uint64_t now) {
  std::string code = mac(key, message + variables(key, now, kFudge, 0, {}));
  std::string data;
  put_name(data, key.algorithm);
  put_time(data, now);
  put16(data, kFudge);
  put16(data, static_cast<std::uint32_t>(code.size()));
  data += code;
  data += message.substr(0, 2);  // original id
  put16(data, 0);
  put16(data, 0);
  put_name(message, key.name);
  put16(message, static_cast<std::uint32_t>(Type::TSIG));
  put16(message, kClassAny);
  put32(message, 0);
  put16(message, static_cast<std::uint32_t>(data.size()));
  message += data;
  std::string count;
  put16(count, get16(message, 10) + 1u);
  message.replace(10, 2, count);
  return code;
}

Result<> verify(std::string_view answer, const TsigKey& key, std::string_view request_mac,
                std::uint64_t now) {
  const auto message = parse_message(answer);
  if (!message) return fail(502, Fault::Upstream, "the answer is no DNS message");
  if (message->additional.empty() || !message->additional.back().is(Type::TSIG)) {
    if (message->rcode != kNoError)  // a server that refuses early need not sign
      return fail(502, Fault::Upstream, fmt::format("the server answers {}", rcode_text(message->rcode)));
    return fail(502, Fault::Upstream, "the answer is not signed");
  }
  const ResourceRecord& record = message->additional.back();
  const auto signature = read_signature(record, key);
  if (!signature) return fail(502, Fault::Upstream, "the answer is signed with another key");
  if (message->rcode == kNotAuth && signature->error != 0)
    return fail(502, Fault::Upstream, error_words(signature->error, key));
  std::string text;
  put16(text, static_cast<std::uint32_t>(request_mac.size()));
  text += request_mac;
  std::string stripped(answer.substr(0, record.begins));
  std::string id, count;
  put16(id, signature->original_id);
  put16(count, get16(answer, 10) - 1u);
  stripped.replace(0, 2, id);
  stripped.replace(10, 2, count);
  text += stripped;
  text += variables(key, signature->time, signature->fudge, signature->error, signature->other);
  const std::string expected = mac(key, text);
  if (signature->mac.size() != expected.size() ||
      CRYPTO_memcmp(signature->mac.data(), expected.data(), expected.size()) != 0)
    return fail(502, Fault::Upstream, "the signature of the answer is wrong");
  const std::uint64_t apart = now > signature->time ? now - signature->time : signature->time - now;
  if (apart > signature->fudge) return fail(502, Fault::Upstream, error_words(kBadTime, key));
  return {};
}

}  // namespace fairlead::acme::dns
