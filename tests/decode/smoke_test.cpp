#include "decode/decode_support.h"

#include <gtest/gtest.h>

namespace sluice::decode {

TEST(Smoke, csv_json_and_ndjson_decode_the_same) {
  const std::vector<std::vector<std::string>> expected = {{"1", "Zürich", "1.1"}, {"2", "\\N", "2"}};
  for (const std::string_view text :
       {"id,name,rate\n1,Zürich,1.10\n2,,2.00\n",
        R"({"data":[{"id":1,"name":"Zürich","rate":1.10},{"id":2,"name":null,"rate":2.00}]})",
        "{\"id\":1,\"name\":\"Z\\u00fcrich\",\"rate\":1.10}\n{\"id\":2,\"rate\":2.00}\n"}) {
    const auto all = decode_inferred(input_of(text));
    ASSERT_TRUE(all) << all.error().describe();
    EXPECT_EQ(all->rows, expected) << text;
    EXPECT_EQ(all->rejected, 0u);
  }
}

}  // namespace sluice::decode
