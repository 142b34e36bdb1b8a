// Keys and values that the reference describes and that are not built yet: each one is refused by its name,
// at its line, and never ignored.
#include "definition/check.h"

#include <gtest/gtest.h>

namespace sluice::definition {
namespace {

struct Later {
  const char* line;   // the fourth line of a loader; or within its source, when `of_source`
  const char* named;  // what the message has to name
  bool of_source = false;
};

const Later kLater[] = {
    {"load: {mode: insertOnly}", "mode"},
    {"load: history", "mode"},
    {"load: {vanished: fail}", "vanished"},
    {"load: {vanishedAfter: 3}", "vanishedAfter"},
    {"load: {vanishedScope: x}", "vanishedScope"},
    {"load: {compare: columns}", "compare"},
    {"load: {compare: version}", "compare"},
    {"load: {verify: every day}", "verify"},
    {"load: {latestBy: at}", "latestBy"},
    {"load: {deleteWhen: gone}", "deleteWhen"},
    {"load: {ignoreInDiff: [at]}", "ignoreInDiff"},
    {"load: {purgeDeletedAfter: 30d}", "purgeDeletedAfter"},
    {"guards: {maximumExpectedRecords: 5}", "maximumExpectedRecords"},
    {"guards: {maxUpdates: 5%}", "maxUpdates"},
    {"guards: {freshness: 1d}", "freshness"},
    {"guards: {onBreach: hold}", "onBreach"},
    {"columns: {id: {format: dd.MM.yyyy}}", "format"},
    {"columns: {id: {formats: [dd.MM.yyyy]}}", "formats"},
    {"columns: {id: {timezone: Europe/Zurich}}", "timezone"},
    {"columns: {id: {constant: 1}}", "constant"},
    {"columns: {id: {default: 1}}", "default"},
    {"columns: {id: {enum: [1, 2]}}", "enum"},
    {"columns: {id: {onInvalid: null}}", "onInvalid"},
    {"columns: {id: {mask: true}}", "mask"},
    {"columns: {id: uuid}", "uuid"},
    {"columns: {id: {type: time}}", "time"},
    {"columns: {id: bytes}", "bytes"},
    {"contract: {newColumns: json}", "newColumns"},
    {"contract: {newColumns: fail}", "newColumns"},
    {"contract: {newColumns: hold}", "newColumns"},
    {"contract: {missingColumns: keep}", "missingColumns"},
    {"contract: {missingColumns: fail}", "missingColumns"},
    {"contract: {typeChange: reject}", "typeChange"},
    {"contract: {typeChange: fail}", "typeChange"},
    {"contract: {nested: flatten(2)}", "nested"},
    {"contract: {nested: flatten}", "nested"},
    {"contract: {nested: ignore}", "nested"},
    {"children: {lines: {from: lines}}", "children"},
    {"checks: [{name: x, where: id > 0}]", "checks"},
    {"group: nightly", "group"},
    {"forEach: [a, b]", "forEach"},
    {"hooks: {onFailure: {url: https://example.org}}", "hooks"},
    {"messaging: [{messagingProvider: Mediator}]", "messaging"},
    {"tests: [{name: x}]", "tests"},
    {"extends: other", "extends", true},
    {"set: {path: x}", "set", true},
    {"afterLoad: delete", "afterLoad", true},
    {"afterLoad: move to inbox/done", "afterLoad", true},
    {"order: name", "order", true},
    {"onlyNew: true", "onlyNew", true},
    {"method: POST", "method", true},
    {"params: {a: 1}", "params", true},
    {"body: x", "body", true},
    {"json: {a: 1}", "json", true},
    {"form: {a: 1}", "form", true},
    {"graphql: {query: x}", "graphql", true},
    {"format: xml", "format", true},
    {"format: xlsx", "format", true},
    {"format: parquet", "format", true},
    {"format: fixedWidth", "format", true},
    {"pagination: {page: 1}", "pagination", true},
    {"cursor: updated_at", "cursor", true},
    {"job: {url: x}", "job", true},
    {"auth: {oauth2: {tokenUrl: x}}", "oauth2", true},
    {"tls: {ca: x}", "tls", true},
    {"rateLimit: {requests: 10}", "rateLimit", true},
    {"errors: [{status: 404}]", "errors", true},
    {"path: \"{cursor.from}\"", "{cursor.from}", true},
};

CheckResult check_text(std::string path, std::string text) {
  CheckOptions options;
  options.root = "/definitions";
  return check({make_source_file(std::move(path), std::move(text))}, options);
}

void expect_refused(const CheckResult& result, std::string_view named, int line, const std::string& text) {
  int found = 0;
  for (const auto& problem : result.problems) {
    if (problem.message.find("not available yet") == std::string::npos) continue;
    ++found;
    EXPECT_EQ(problem.severity, Problem::Severity::error) << text;
    EXPECT_EQ(problem.place.line, line) << text << render(problem);
    EXPECT_NE(problem.message.find(named), std::string::npos) << text << render(problem);
  }
  EXPECT_EQ(found, 1) << text << (result.problems.empty() ? "no problem" : render(result.problems[0]));
  EXPECT_TRUE(result.catalog->loaders.empty()) << text;
}

TEST(LaterKeys, of_a_loader_are_refused_by_name_and_line) {
  for (const auto& later : kLater) {
    std::string text = "name: L\nkey: id\n";
    if (later.of_source) {
      text += std::string("source:\n  ") + later.line + "\n  file: ../a.csv\n";
    } else {
      text += std::string("source: ../a.csv\n") + later.line + "\n";
    }
    if (text.find("schedule:") == std::string::npos) text += "schedule: manual\n";
    expect_refused(check_text("L.loader.yaml", text), later.named, 4, text);
  }
}

TEST(LaterKeys, are_refused_among_the_defaults_too) {
  const std::string text = "name: S\ndefaults:\n  load: {compare: columns}\n";
  const auto result = check_text("x.service.yaml", text);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(render(result.problems[0]),
            "x.service.yaml:3:19: error: compare: \"columns\" is not available yet; only fingerprint is");
}

TEST(LaterKeys, of_a_data_source_are_refused) {
  for (const std::string line : {"tls: {ca: x}", "rateLimit: {requests: 1}", "errors: [{status: 404}]",
                                 "auth: {oauth2: {tokenUrl: x}}"}) {
    const auto text = "name: D\nbaseUrl: https://example.org\n" + line + "\n";
    const auto result = check_text("D.dataSource.yaml", text);
    ASSERT_EQ(result.problems.size(), 1u) << text;
    EXPECT_NE(result.problems[0].message.find("not available yet"), std::string::npos) << text;
    EXPECT_EQ(result.problems[0].place.line, 3) << text;
  }
}

}  // namespace
}  // namespace sluice::definition
