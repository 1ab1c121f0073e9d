#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::upstream {

class FetchTls;

struct RedisReply {
  enum class Kind : unsigned char { Nil, Integer, Text, List, Error };
  Kind kind = Kind::Nil;
  std::int64_t integer = 0;
  std::string text;  // of Text and Error
  std::vector<RedisReply> items;
};

struct RedisOptions {
  std::vector<std::string> endpoints = {"localhost:6379"};  // host:port, tried in order
  std::string username;
  std::string password;
  int db = 0;
  // How TLS is spoken, asked for at every connection; empty: plain. From any worker's thread.
  std::function<std::shared_ptr<const FetchTls>()> tls;
  Duration dial_timeout = std::chrono::seconds(5);
  Duration read_timeout = std::chrono::seconds(3);  // for the answer to a command
};

// Redis as a worker uses it: one connection per worker, on the worker's own loop, over which commands are
// pipelined; hiredis only writes and reads the protocol. It connects with the first command and anew after
// a failure. A node of a cluster may send a command to another one; that costs a second round trip and one
// more connection. Any worker's thread.
class Redis {
 public:
  static Configured<std::shared_ptr<const Redis>> make(RedisOptions options);
  ~Redis();

  // Errors: {502, Upstream} when there is no connection, {504, Upstream} when the answer is late, {503,
  // Proxy} when too many commands wait. An error that Redis itself answers is a reply of kind Error.
  Task<Result<RedisReply>> command(event::Loop& loop, std::vector<std::string> words) const;

  // Closes the calling thread's connections. For the end of a worker: they use its loop and must go before.
  static void forget_links();

 private:
  struct Settings;
  class Link;
  struct Links;
  explicit Redis(std::shared_ptr<const Settings> settings) : settings_(std::move(settings)) {}
  static Link& link_of(event::Loop& loop, const std::shared_ptr<const Settings>& settings);

  std::shared_ptr<const Settings> settings_;
};

}  // namespace fairlead::upstream
