// What the tests of fetch share: a scratch folder, a clock that stands still, and a context that records.
#pragma once

#include "fetch/fetch.h"
#include "fetch/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::fetch::test {

using std::chrono::milliseconds;

class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-fetch-XXXXXX").string();
    folder_ = std::filesystem::canonical(::mkdtemp(name.data()));
    std::filesystem::create_directory(folder_ / "spool");
    policy_.allowed_roots = {folder_};
    ::setenv("no_proxy", "*", 1);  // the loopback server is never behind the machine's proxy
  }
  ~FetchTest() override { std::filesystem::remove_all(folder_); }

  Context context() {
    Context context{clock_, folder_ / "spool", policy_, {}, {}, "sluice-test/1", {}, {}};
    context.log = [this](std::string line) { log_ += line + "\n"; };
    context.random = [] { return 0.5; };
    return context;
  }
  Result<Fetched> get(const SourceSpec& source, const std::vector<Validators>& previous = {},
                      std::stop_token stop = {}) {
    auto with = context();
    return fetch(source, previous, with, std::move(stop));
  }
  static SourceSpec http(std::string url) {
    SourceSpec source;
    source.kind = SourceSpec::Kind::http;
    source.url = std::move(url);
    return source;
  }
  SourceSpec file(const std::filesystem::path& relative) const {
    SourceSpec source;
    source.kind = SourceSpec::Kind::file;
    source.file = folder_ / relative;
    return source;
  }
  std::filesystem::path write(const std::filesystem::path& relative, std::string_view text) const {
    const auto path = folder_ / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return path;
  }
  static std::string bytes_of(const Item& item) {
    std::string text(item.validators.length + 1, '\0');
    const auto got = item.file->read_at(text, 0);
    text.resize(got ? *got : 0);
    return text;
  }
  static std::vector<Validators> validators(const Fetched& fetched) {
    std::vector<Validators> all;
    for (const auto& item : fetched.items) all.push_back(item.validators);
    return all;
  }

  std::filesystem::path folder_;
  // An hour ahead: the kernel stamps the files of a test with its own time, which must look old.
  ManualClock clock_{SystemClock().now() + std::chrono::hours(1)};
  Policy policy_;
  std::string log_;
};

// The error of a Result, for EXPECTs; a success is reported as what it is.
template <class T>
Error error_of(const Result<T>& result) {
  if (result) {
    ADD_FAILURE() << "succeeded";
    return Error{};
  }
  return result.error();
}

}  // namespace sluice::fetch::test
