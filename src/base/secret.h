// A value that must not be seen: it prints as ***, and is taken out only by reveal(), in fetch and sql.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sluice {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

// Replaces by *** what may be secret in a URL, for logs and errors: user and password, the values of the
// query, the fragment. Also of text that is no proper URL; mask before cutting, half a password is one too.
std::string mask_url(std::string_view url);

}  // namespace sluice

template <>
struct fmt::formatter<sluice::Secret> : fmt::formatter<std::string_view> {
  auto format(const sluice::Secret&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
