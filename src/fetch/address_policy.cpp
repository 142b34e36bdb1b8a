#include "fetch/address_policy.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace sluice::fetch {
namespace {

// IPv4 addresses are held as ::ffff:a.b.c.d, so that one comparison serves both.
using Address = std::array<std::uint8_t, 16>;

struct Block {
  Address address;
  int bits;
};

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Address mapped(const std::uint8_t* four) {
  Address address{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
  std::copy(four, four + 4, address.begin() + 12);
  return address;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::string zoneless(text.substr(0, text.find('%')));
  Address address{};
  if (::inet_pton(AF_INET6, zoneless.c_str(), address.data()) == 1) return address;
  std::array<std::uint8_t, 4> four{};
  if (::inet_pton(AF_INET, zoneless.c_str(), four.data()) == 1) return mapped(four.data());
  return {};
}

std::optional<Block> parse_block(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return {};
  int bits = 128;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const bool four = text.substr(0, slash).find(':') == std::string_view::npos;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return {};
    if (bits < 0 || bits > (four ? 32 : 128)) return {};
    if (four) bits += 96;
  }
  return Block{*address, bits};
}

bool contains(const Block& block, const Address& address) {
  const auto whole = static_cast<std::size_t>(block.bits / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  block.address.begin()))
    return false;
  const int rest = block.bits % 8;
  return rest == 0 || (address[whole] >> (8 - rest)) == (block.address[whole] >> (8 - rest));
}

// The IPv4 address inside the IPv6 forms that a gateway or the kernel turns into one: IPv4-compatible ::/96,
// NAT64 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215, which usually ends in one too), and 6to4
// 2002::/16 (RFC 3056).
Address unwrapped(const Address& address) {
  static constexpr std::array<std::uint8_t, 12> kNat64 = {0, 0x64, 0xff, 0x9b};
  static constexpr std::array<std::uint8_t, 6> kLocalNat64 = {0, 0x64, 0xff, 0x9b, 0, 1};
  static constexpr std::array<std::uint8_t, 12> kCompatible = {};
  if (std::equal(kNat64.begin(), kNat64.end(), address.begin()) ||
      std::equal(kLocalNat64.begin(), kLocalNat64.end(), address.begin()))
    return mapped(address.data() + 12);
  if (std::equal(kCompatible.begin(), kCompatible.end(), address.begin()) && address[12] != 0)
    return mapped(address.data() + 12);
  if (address[0] == 0x20 && address[1] == 0x02) return mapped(address.data() + 2);
  return address;
}

bool refused(const Address& given) {
  // Link-local (which holds the metadata service of most clouds), and the metadata services elsewhere: AWS
  // and Google over IPv6, Alibaba, Oracle, Azure.
  static constexpr std::array<std::string_view, 7> kRefused = {
      "169.254.0.0/16",  "fe80::/10",   "fd00:ec2::254", "fd20:ce::254",
      "100.100.100.200", "192.0.0.192", "168.63.129.16"};
  const Address address = unwrapped(given);
  return std::any_of(kRefused.begin(), kRefused.end(), [&](std::string_view text) {
    const auto block = parse_block(text);
    return contains(*block, address) || contains(*block, given);
  });
}

std::string_view bare(std::string_view host) {
  while (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool name_allowed(std::string_view host, const Policy& policy) {
  return std::any_of(policy.allowed_addresses.begin(), policy.allowed_addresses.end(),
                     [&](const std::string& allowed) { return iequals(bare(allowed), bare(host)); });
}

bool in_allowed_block(const Address& address, const Policy& policy) {
  return std::any_of(policy.allowed_addresses.begin(), policy.allowed_addresses.end(),
                     [&](const std::string& allowed) {
                       const auto block = parse_block(allowed);
                       return block && contains(*block, address);
                     });
}

}  // namespace

Result<void> check_host(std::string_view host, const Policy& policy) {
  static constexpr std::array<std::string_view, 5> kMetadataNames = {
      "metadata.google.internal", "metadata.goog", "metadata", "instance-data", "instance-data.ec2.internal"};
  if (name_allowed(host, policy)) return {};
  const auto address = parse_address(host);
  const bool by_name = std::any_of(kMetadataNames.begin(), kMetadataNames.end(),
                                   [&](std::string_view name) { return iequals(name, bare(host)); });
  const bool by_address = address && refused(*address) && !in_allowed_block(*address, policy);
  if (!by_name && !by_address) return {};
  return fail(
      ErrorCode::forbidden,
      fmt::format("{} is a link-local or cloud metadata address, which definitions may not reach; start "
                  "with --allow-address {} to allow it",
                  host, host));
}

bool address_allowed(const sockaddr* address, std::string_view host, const Policy& policy) {
  Address bytes{};
  if (address->sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, address, sizeof four);
    std::array<std::uint8_t, 4> parts{};
    std::memcpy(parts.data(), &four.sin_addr, parts.size());
    bytes = mapped(parts.data());
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, address, sizeof six);
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
  } else {
    return false;
  }
  return !refused(bytes) || in_allowed_block(bytes, policy) || name_allowed(host, policy);
}

}  // namespace sluice::fetch
