// A folder of a thousand definitions. How fast it is, is measured by hand and by bench/; here it has to work.
#include "acceptance/site.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace sluice::test {
namespace {

TEST(ManyDefinitions, are_checked_and_run_as_few_are) {
  constexpr int kFiles = 1000;
  const Site site;
  for (int i = 0; i < kFiles; ++i) {
    site.write_loader(
        fmt::format("group{}/L{:04}", i % 10, i),
        fmt::format("name: L{:04}\nschedule: every day at {}:{:02}\nsource: ../../in.csv\nkey: id\n", i,
                    i % 24, i % 60));
  }
  site.write("in.csv", "id,name\n1,a\n2,b\n");
  const auto check = site.sluice({"check", "--json"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  const auto json = json_lines(check.out).at(0);
  EXPECT_EQ(json.at("files"), kFiles);
  EXPECT_EQ(json.at("loaders").size(), kFiles);
  for (const auto& loader : json.at("loaders")) ASSERT_EQ(loader.at("next").size(), 5U) << loader.dump();
  EXPECT_EQ(site.run("L0999").receipt.at("inserted"), 2);

  site.write_loader("group0/L0000", "name: L0001\nschedule: every day\nsource: ../../in.csv\nkey: id\n");
  const auto clash = site.sluice({"check"});
  EXPECT_EQ(clash.exit_code, 2);
  EXPECT_THAT(clash.err, testing::HasSubstr("group1/L0001.loader.yaml:1"));
  EXPECT_EQ(site.run("L0500").exit_code, 0) << "the others run on";
}

}  // namespace
}  // namespace sluice::test
