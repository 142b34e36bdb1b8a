// A service that runs beside the test, asked and waited for as its page does it.
#pragma once

#include "acceptance/loopback_http.h"
#include "acceptance/site.h"

#include <charconv>
#include <csignal>
#include <functional>
#include <memory>
#include <string>

namespace sluice::test {

// `sluice serve` on a port of its own, over the site's definitions.
class Serving {
 public:
  explicit Serving(const Site& site)
      : process_(std::make_unique<Process>(
            std::vector<std::string>{sluice_program(), "serve", "definitions", "--listen", "127.0.0.1:0"},
            site.path())) {
    const std::string says = "the page: http://127.0.0.1:";
    EXPECT_TRUE(process_->wait_for_output("/jobs")) << process_->output();
    const auto output = process_->output();
    const auto at = output.find(says);
    EXPECT_NE(at, std::string::npos) << output;
    if (at == std::string::npos) return;
    std::from_chars(output.data() + at + says.size(), output.data() + output.size(), port_);
  }
  std::uint16_t port() const { return port_; }
  Process& process() { return *process_; }
  Json get(const std::string& path) const {
    const auto answer = http_get(port_, path);
    EXPECT_TRUE(answer && answer->status == 200) << path << (answer ? answer->body : " no answer");
    return answer ? Json::parse(answer->body, nullptr, false) : Json();
  }
  // Waits on the service's own events until the condition holds; false after a minute.
  bool until(const std::function<bool()>& condition) const {
    EventStream events(port_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      events.next(std::chrono::seconds(1));
    }
    return true;
  }
  Json job(const std::string& id) const { return get("/api/v1/jobs/" + id); }
  bool until_succeeded(const std::string& loader, std::size_t runs = 1) const {
    return until(
        [&] { return get("/api/v1/jobs?state=succeeded&loader=" + loader).at("items").size() >= runs; });
  }
  // POST …/run as the page does it; the job's id.
  std::string run(const std::string& loader) const {
    const auto answer = http_post(port_, "/api/v1/loaders/" + loader + "/run");
    EXPECT_TRUE(answer && answer->status == 202) << (answer ? answer->body : "no answer");
    return answer ? Json::parse(answer->body).at("job").get<std::string>() : "0";
  }
  Json ended(const std::string& id) const {
    EXPECT_TRUE(until([&] {
      const auto state = job(id).at("state");
      return state == "succeeded" || state == "failed";
    }));
    return job(id);
  }
  Json definition(const std::string& file) const {
    const auto all = get("/api/v1/definitions");
    for (const auto& one : all.at("items")) {
      if (one.at("file") == file) return one;
    }
    return {{"valid", nullptr}, {"usingStored", nullptr}, {"errors", Json::array()}};  // not seen yet
  }
  bool has_loader(const std::string& name) const {
    const auto all = get("/api/v1/loaders");
    for (const auto& loader : all.at("items")) {
      if (loader.at("name") == name) return true;
    }
    return false;
  }
  void expect_clean_stop() {
    process_->signal(SIGTERM);
    const auto finished = process_->wait();
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
  }

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace sluice::test
