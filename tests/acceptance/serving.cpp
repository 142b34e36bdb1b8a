#include "acceptance/serving.h"

#include <charconv>
#include <chrono>
#include <csignal>

namespace sluice::test {

using namespace std::chrono_literals;

Serving::Serving(const Site& site, const std::vector<std::string>& more) {
  std::vector<std::string> command = {sluice_program(), "serve", "definitions", "--listen", "127.0.0.1:0"};
  command.insert(command.end(), more.begin(), more.end());
  process_ = std::make_unique<Process>(command, site.path());
  const std::string says = "the page: http://127.0.0.1:";
  EXPECT_TRUE(process_->wait_for_output("/jobs")) << process_->output();
  const auto output = process_->output();
  const auto at = output.find(says);
  EXPECT_NE(at, std::string::npos) << output;
  if (at == std::string::npos) return;
  std::from_chars(output.data() + at + says.size(), output.data() + output.size(), port_);
}

Json Serving::get(const std::string& path) const {
  const auto answer = http_get(port_, path);
  EXPECT_TRUE(answer && answer->status == 200) << path << (answer ? answer->body : " no answer");
  return answer ? Json::parse(answer->body, nullptr, false) : Json();
}

bool Serving::until(const std::function<bool()>& condition) const {
  EventStream events(port_);
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    events.next(200ms);  // or sooner: a change may have been told before we listened
  }
  return true;
}

Json Serving::job(const std::string& id) const { return get("/api/v1/jobs/" + id); }

bool Serving::until_succeeded(const std::string& loader, std::size_t runs) const {
  return until(
      [&] { return get("/api/v1/jobs?state=succeeded&loader=" + loader).at("items").size() >= runs; });
}

std::string Serving::run(const std::string& loader) const {
  const auto answer = http_post(port_, "/api/v1/loaders/" + loader + "/run");
  EXPECT_TRUE(answer && answer->status == 202) << (answer ? answer->body : "no answer");
  return answer ? Json::parse(answer->body).at("job").get<std::string>() : "0";
}

Json Serving::ended(const std::string& id) const {
  EXPECT_TRUE(until([&] {
    const auto state = job(id).at("state");
    return state == "succeeded" || state == "failed";
  }));
  return job(id);
}

Json Serving::definition(const std::string& file) const {
  const auto all = get("/api/v1/definitions");
  for (const auto& one : all.at("items")) {
    if (one.at("file") == file) return one;
  }
  return {{"valid", nullptr}, {"usingStored", nullptr}, {"errors", Json::array()}};
}

bool Serving::has_loader(const std::string& name) const {
  const auto all = get("/api/v1/loaders");
  for (const auto& loader : all.at("items")) {
    if (loader.at("name") == name) return true;
  }
  return false;
}

void Serving::expect_clean_stop() {
  process_->signal(SIGTERM);
  const auto finished = process_->wait();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

}  // namespace sluice::test
