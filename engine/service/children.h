#pragma once

#include "engine/service/status.h"

#include <cstddef>
#include <vector>

namespace fairlead::service {

// Which children of a composite one pick may take.
class Eligible {
 public:
  Eligible(const std::vector<Child>& children, const upstream::Pools& pools,
           const std::vector<std::size_t>& tried, bool only_up)
      : children_(children), pools_(pools), tried_(tried), only_up_(only_up) {}

  bool operator()(std::size_t index) const {
    const Child& child = children_[index];
    if (child.weight <= 0) return false;
    for (const std::size_t one : tried_)
      if (one == index) return false;
    return !only_up_ || child.up(pools_);
  }
  bool any() const { return any_besides(children_.size()); }
  bool any_besides(std::size_t index) const {
    for (std::size_t i = 0; i < children_.size(); ++i)
      if (i != index && (*this)(i)) return true;
    return false;
  }

 private:
  const std::vector<Child>& children_;
  const upstream::Pools& pools_;
  const std::vector<std::size_t>& tried_;
  bool only_up_;
};

inline constexpr int kNoChild = -1;

// A service that hands each request to one of several others. A child that is down is passed over while
// another one is up; a failure that no server can have acted upon goes to the next child, and nothing is held
// meanwhile. When all are down the pick is made as if all were up: the child says why, or holds the request.
class AmongChildren : public exchange::Service, public Status {
 public:
  Task<exchange::Response> serve(exchange::Exchange& x) const final;
  // Up while a child is that could be picked.
  bool up(const upstream::Pools& pools) const final;

 protected:
  explicit AmongChildren(std::vector<Child> children) : children_(std::move(children)) {}
  const std::vector<Child>& children() const { return children_; }

  // The child for this request, or kNoChild.
  virtual int pick(exchange::Exchange& x, const Eligible& eligible) const = 0;
  // `index` answers a request whose head was `request` when it came here.
  virtual void picked(const http::RequestHead&, exchange::Response&, std::size_t) const {}

 private:
  std::vector<Child> children_;
};

}  // namespace fairlead::service
