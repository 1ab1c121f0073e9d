#include "engine/upstream/abandon.h"

namespace fairlead::upstream {
namespace {

struct Abandoned final : event::Destroyable {
  explicit Abandoned(std::unique_ptr<net::Transport> dead) : transport(std::move(dead)) {}
  std::unique_ptr<net::Transport> transport;
};

}  // namespace

void abandon(event::Loop& loop, std::unique_ptr<net::Transport> transport) {
  transport->close();
  loop.destroy_later(std::make_unique<Abandoned>(std::move(transport)));
}

}  // namespace fairlead::upstream
