// A schema of the test's own in the shared PostgreSQL server, gone with it.
#pragma once

#include "jobs/postgres/store.h"
#include "jobs/store_conformance.h"
#include "sql/postgres.h"
#include "support/postgres_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

namespace sluice::jobs {

class PostgresSetting final : public Setting {
 public:
  explicit PostgresSetting(std::string url = test::postgres_url()) : url_(std::move(url)) {}
  ~PostgresSetting() override { (void)connect()->execute("drop schema if exists " + schema_ + " cascade"); }
  std::unique_ptr<Store> open() override {
    auto opened = open_postgres_store(Secret(url_), {.schema = schema_});
    if (!opened) {
      ADD_FAILURE() << opened.error().describe();
      std::abort();
    }
    return *std::move(opened);
  }
  // A connection beside the store.
  std::unique_ptr<sql::PostgresConnection> connect() {
    auto opened = sql::open_postgres(Secret(url_), {.schema = schema_});
    if (!opened) {
      ADD_FAILURE() << opened.error().describe();
      std::abort();
    }
    return *std::move(opened);
  }
  void execute(std::string_view script) override {
    const auto done = connect()->execute(script);
    ASSERT_TRUE(done) << done.error().describe();
  }
  std::int64_t number(std::string_view query) override {
    const auto connection = connect();
    const auto select = connection->prepare(query).value();
    EXPECT_TRUE(select->step().value());
    return select->int64(0);
  }
  const std::string& schema() const { return schema_; }
  const std::string& url() const { return url_; }

 private:
  static std::string new_schema() {
    static std::atomic<int> count{0};
    return fmt::format("jobs_{}_{}", ::getpid(), ++count);
  }
  const std::string url_;
  const std::string schema_ = new_schema();
};

}  // namespace sluice::jobs
