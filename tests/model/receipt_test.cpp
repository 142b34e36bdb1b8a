#include "model/receipt.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sluice {
namespace {

Receipt sample() {
  Receipt receipt;
  receipt.loader = "Country";
  receipt.job = 9'007'199'254'740'993;  // not a JavaScript number
  receipt.attempt = 2;
  receipt.state = "failed";
  receipt.mode = "sync";
  receipt.compare = "fingerprint";
  receipt.read = 100;
  receipt.inserted = 1;
  receipt.updated = 2;
  receipt.deleted = 3;
  receipt.restored = 4;
  receipt.unchanged = 80;
  receipt.vanished = 3;
  receipt.rejected = 6;
  receipt.duplicates = 5;
  receipt.ignored = 2;
  receipt.bytes = 12'345;
  receipt.requests = 3;
  receipt.not_modified = 1;
  receipt.duration_ms = 42;
  receipt.rows_before = 90;
  receipt.rows_after = 88;
  receipt.started_at = Timestamp(std::chrono::microseconds(1'767'600'000'250'000));
  receipt.guards = {{"maxDeletes", "10%", "12.5% (50 of 400)", "breached", "too many"}};
  receipt.schema_changes = {"added column iso_numeric text"};
  receipt.notes = {"target was changed by hand: compared by columns"};
  receipt.catalog_hash = "c0ffee";
  receipt.error = Error{ErrorCode::guard, false, "loader Country", "12.5% of the rows would go", {}};
  return receipt;
}

TEST(Receipt, is_written_with_the_keys_of_the_design_in_their_order) {
  EXPECT_EQ(
      to_json(sample()),
      R"json({"loader":"Country","job":"9007199254740993","state":"failed","applied":false,"read":100,"inserted":1,)json"
      R"json("updated":2,"deleted":3,"restored":4,"unchanged":80,"vanished":3,"rejected":6,"duplicates":5,"ignored":2,)json"
      R"json("bytes":12345,"requests":3,"notModified":1,"durationMs":42,"guards":[{"name":"maxDeletes","limit":"10%",)json"
      R"json("actual":"12.5% (50 of 400)","verdict":"breached","message":"too many"}],"error":{"code":"guard",)json"
      R"json("retryable":false,"where":"loader Country","message":"12.5% of the rows would go"},"attempt":2,)json"
      R"json("mode":"sync","compare":"fingerprint","startedAt":"2026-01-05T08:00:00.25Z","rowsBefore":90,)json"
      R"json("rowsAfter":88,"deletedBySource":0,"schemaChanges":["added column iso_numeric text"],)json"
      R"json("notes":["target was changed by hand: compared by columns"],"catalogHash":"c0ffee"})json");
}

TEST(Receipt, comes_back_from_its_json) {
  auto receipt = sample();
  receipt.error->retry_after = std::chrono::milliseconds(1500);
  receipt.deleted_by_source = 7;
  receipt.applied = true;
  const auto text = to_json(receipt);
  const auto back = receipt_from_json(text);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->job, receipt.job);
  EXPECT_EQ(back->started_at, receipt.started_at);
  EXPECT_EQ(back->error->retry_after, receipt.error->retry_after);
  EXPECT_EQ(back->deleted_by_source, 7);
}

TEST(Receipt, an_empty_one_comes_back_too) {
  const auto text = to_json(Receipt{});
  const auto back = receipt_from_json(text);
  ASSERT_TRUE(back) << back.error().describe();
  EXPECT_EQ(to_json(*back), text);
  EXPECT_FALSE(back->error);
}

TEST(Receipt, bytes_that_are_not_utf8_do_not_stop_it) {
  Receipt receipt;
  receipt.error = Error{ErrorCode::malformed, false, "", "found \xff\xfe here", {}};
  EXPECT_NE(to_json(receipt).find("found \xef\xbf\xbd"), std::string::npos);
}

TEST(Receipt, what_is_not_a_receipt_is_an_error) {
  const auto good = to_json(sample());
  const auto with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const auto& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string("null"),
        good.substr(0, good.size() - 1), with("\"9007199254740993\"", "\"12x\""),
        with("\"9007199254740993\"", "12"), with("100", "\"100\""), with("100", "1.5"),
        with("\"guard\",\"retryable\"", "\"oops\",\"retryable\""), with("2026-01-05", "2026-13-05"),
        with("08:00:00.25Z", "08:00:00.25"), with("[{", "[1,{")}) {
    const auto parsed = receipt_from_json(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::malformed);
  }
}

TEST(Receipt, balances_when_every_record_is_counted_once) {
  auto receipt = sample();
  EXPECT_TRUE(receipt.balanced());
  ++receipt.read;
  EXPECT_FALSE(receipt.balanced());
}

}  // namespace
}  // namespace sluice
