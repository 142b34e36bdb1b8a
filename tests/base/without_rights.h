// File permissions that hold for the tests too, though they may run as root.
#pragma once

#include <sys/fsuid.h>
#include <unistd.h>

namespace sluice {

// While it lives, this thread opens files as an ordinary user does. What the test made stays readable to
// everybody unless its mode says otherwise.
class WithoutRights {
 public:
  WithoutRights() { ::setfsuid(kNobody); }
  ~WithoutRights() { ::setfsuid(::geteuid()); }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;

 private:
  static constexpr unsigned kNobody = 65534;
};

}  // namespace sluice
