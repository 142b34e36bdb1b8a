#include "api/receipt_counts.h"

#include "model/receipt.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

TEST(ReceiptCounts, are_those_of_the_receipt) {
  Receipt receipt;
  receipt.loader = R"(a "read":99, b)";  // a name may hold anything
  receipt.read = 31;
  receipt.inserted = 1;
  receipt.updated = 2;
  receipt.deleted = 3;
  receipt.restored = 4;
  receipt.unchanged = 5;
  receipt.rejected = 6;
  receipt.not_modified = 7;
  receipt.notes = {R"("updated":12)"};
  const auto counts = receipt_counts(to_json(receipt));
  EXPECT_EQ(counts.read, 31);
  EXPECT_EQ(counts.inserted, 1);
  EXPECT_EQ(counts.updated, 2);
  EXPECT_EQ(counts.deleted, 3);
  EXPECT_EQ(counts.restored, 4);
  EXPECT_EQ(counts.unchanged, 5);
  EXPECT_EQ(counts.rejected, 6);
  EXPECT_EQ(counts.not_modified, 7);
}

TEST(ReceiptCounts, count_nothing_where_there_is_nothing) {
  for (const char* text : {"", "{}", "not json", R"({"read":null})", R"({"read":)"}) {
    EXPECT_EQ(receipt_counts(text).read, 0) << text;
  }
}

}  // namespace
}  // namespace sluice::api
