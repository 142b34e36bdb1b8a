#include "fetch/address_policy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace sluice::fetch {
namespace {

bool reachable(const std::string& text, const Policy& policy, std::string_view host = "example.org") {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1)
    return address_allowed(reinterpret_cast<const sockaddr*>(&six), host, policy);
  sockaddr_in four{};
  four.sin_family = AF_INET;
  EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &four.sin_addr), 1) << text;
  return address_allowed(reinterpret_cast<const sockaddr*>(&four), host, policy);
}

TEST(AddressPolicy, refuses_link_local_and_metadata_in_every_disguise) {
  for (const std::string address :
       {"169.254.169.254", "169.254.0.1", "169.254.170.2", "::ffff:169.254.169.254", "::169.254.169.254",
        "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1", "febf::1", "fd00:ec2::254", "fd20:ce::254",
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:7::169.254.169.254"})
    EXPECT_FALSE(reachable(address, {})) << address;
}

TEST(AddressPolicy, leaves_loopback_private_and_public_alone) {
  for (const std::string address :
       {"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.253.255.255", "169.255.0.0",
        "fec0::1", "fd00::1", "93.184.216.34", "2606:2800:220:1::1", "::", "64:ff9b::808:808",
        "64:ff9b:1::808:808", "2002:808:808::1"})
    EXPECT_TRUE(reachable(address, {})) << address;
}

TEST(AddressPolicy, allows_what_the_command_line_names) {
  Policy policy;
  policy.allowed_addresses = {"169.254.169.254", "fe80::/64", "Metadata.internal", "169.254.7.0/24",
                              "nonsense/99"};
  EXPECT_TRUE(reachable("169.254.169.254", policy));
  EXPECT_TRUE(reachable("::ffff:169.254.169.254", policy));
  EXPECT_FALSE(reachable("169.254.169.253", policy));
  EXPECT_TRUE(reachable("fe80::5", policy));
  EXPECT_FALSE(reachable("fe80:0:0:1::5", policy));
  EXPECT_TRUE(reachable("169.254.7.9", policy));
  EXPECT_FALSE(reachable("169.254.8.9", policy));
  EXPECT_TRUE(reachable("169.254.8.9", policy, "metadata.internal"));
}

TEST(AddressPolicy, refuses_names_and_literals_before_anything_is_resolved) {
  for (const std::string_view host :
       {"metadata.google.internal", "Metadata.Google.Internal.", "169.254.169.254", "[fe80::1%25eth0]",
        "[::ffff:169.254.1.1]", "[fd00:ec2::254]"}) {
    const auto checked = check_host(host, {});
    ASSERT_FALSE(checked) << host;
    EXPECT_EQ(checked.error().code, ErrorCode::forbidden);
    EXPECT_NE(checked.error().message.find("--allow-address"), std::string::npos);
  }
  EXPECT_TRUE(check_host("example.org", {}));
  EXPECT_TRUE(check_host("[::1]", {}));
  Policy policy;
  policy.allowed_addresses = {"metadata.google.internal", "169.254.0.0/16"};
  EXPECT_TRUE(check_host("metadata.google.internal", policy));
  EXPECT_TRUE(check_host("169.254.169.254", policy));
}

}  // namespace
}  // namespace sluice::fetch
