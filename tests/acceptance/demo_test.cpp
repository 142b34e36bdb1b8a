// The shipped definitions on the shipped data, as a stranger meets them: by command, and served.
#include "acceptance/loopback_http.h"
#include "acceptance/serving.h"
#include "acceptance/site.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kCountries = "sample-data/country-seeddata.json";

void replace_in(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  auto text = read_text(file);
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " is not in " << file;
  write_text(file, text.replace(at, from.size(), to));
}

TEST(Demo, first_inserts_all_then_finds_nothing_new_then_the_one_edited_row) {
  const Site site;
  site.copy_demo();
  const auto first = site.sluice({"run", "--all", "--json"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const auto inserted = json_lines(first.out);
  ASSERT_EQ(inserted.size(), 3U);
  for (const auto& receipt : inserted) {
    EXPECT_EQ(receipt.at("state"), "succeeded");
    EXPECT_EQ(receipt.at("inserted"), receipt.at("read"));
    expect_balanced(receipt);
  }
  EXPECT_EQ(site.count("Country"), 249);
  EXPECT_EQ(site.count("Currency"),
            Json::parse(read_text(site.path() / "sample-data/currency-seeddata.json")).size());
  EXPECT_EQ(site.count("exchange_rate"), 21);

  for (const auto& receipt : json_lines(site.sluice({"run", "--all", "--json"}).out)) {
    EXPECT_GE(receipt.at("notModified").get<int>(), 1) << receipt.dump();
    EXPECT_EQ(receipt.at("read"), 0) << receipt.dump();
  }

  replace_in(site.path() / kCountries, "\"Name\": \"Zimbabwe\"", "\"Name\": \"Rhodesia\"");
  const auto edited = site.run("CountryLoader");
  EXPECT_EQ(edited.receipt.at("updated"), 1);
  EXPECT_EQ(edited.receipt.at("unchanged"), 248);
  EXPECT_EQ(edited.receipt.at("inserted"), 0);
  expect_balanced(edited.receipt);
  EXPECT_THAT(site.query("select Name from Country where Id = 716"), ElementsAre("Rhodesia"));
}

TEST(Demo, keeps_decimals_exact) {
  const Site site;
  site.copy_demo();
  ASSERT_EQ(site.run("ExchangeRate").exit_code, 0);
  EXPECT_THAT(site.query("select rate from exchange_rate where currency in ('FRF', 'MTL') order by 1"),
              ElementsAre("0.4293", "6.55957"));
}

TEST(Serve, loads_at_start_and_answers) {
  const Site site;
  site.copy_demo();
  Serving service(site);
  for (const auto* loader : {"CountryLoader", "CurrencyLoader", "ExchangeRate"}) {
    EXPECT_TRUE(service.until_succeeded(loader)) << loader;
  }
  EXPECT_EQ(site.count("Country"), 249);
  EXPECT_EQ(http_get(service.port(), "/healthz")->status, 200);
  EXPECT_EQ(http_get(service.port(), "/readyz")->status, 200);
  EXPECT_THAT(http_get(service.port(), "/jobs")->body, HasSubstr("<!doctype html>"));
  EXPECT_THAT(http_get(service.port(), "/metrics")->body, HasSubstr("sluice_"));
  const auto loaders = service.get("/api/v1/loaders").at("items");
  ASSERT_EQ(loaders.size(), 3U);
  EXPECT_EQ(loaders[0].at("schedule").at("english"), "at 02:00 on the 1st of the month");
  EXPECT_EQ(loaders[0].at("lastRun").at("receipt").at("inserted"), 249);
  service.expect_clean_stop();
}

TEST(Serve, refuses_what_a_foreign_page_could_send) {
  const Site site;
  site.copy_demo();
  Serving service(site);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(service.port()) + "\r\n";
  const std::string json = "Content-Type: application/json\r\n";
  const auto status = [&](const std::string& headers) {
    const auto answer = http_send(service.port(), "POST", "/api/v1/loaders/CountryLoader/run", headers, "{}");
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(status(host + "Content-Type: application/x-www-form-urlencoded\r\n"), 415);
  EXPECT_EQ(status(host + "Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(status(host), 415);
  EXPECT_EQ(status(host + json + "Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(status(host + json + "Sec-Fetch-Site: same-site\r\n"), 403);
  EXPECT_EQ(status(host + json + "Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status("Host: evil.example\r\n" + json), 421);
  EXPECT_EQ(http_send(service.port(), "GET", "/api/v1/jobs", "Host: evil.example\r\n")->status, 421);
  EXPECT_EQ(status(host + json + "Sec-Fetch-Site: same-origin\r\n"), 202);
  EXPECT_EQ(http_post(service.port(), "/api/v1/loaders/CountryLoder/run")->status, 404);
}

TEST(Serve, shows_the_changed_row_before_and_after) {
  const Site site;
  site.copy_demo();
  Serving service(site);
  ASSERT_TRUE(service.until_succeeded("CountryLoader"));
  replace_in(site.path() / kCountries, "\"Name\": \"Zimbabwe\"", "\"Name\": \"Rhodesia\"");
  const auto job = service.ended(service.run("CountryLoader"));
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("receipt").at("updated"), 1);
  const auto changes =
      service.get("/api/v1/jobs/" + job.at("id").get<std::string>() + "/changes").at("items");
  ASSERT_EQ(changes.size(), 1U);
  const auto text = changes[0].dump();
  EXPECT_THAT(text, HasSubstr("Zimbabwe"));
  EXPECT_THAT(text, HasSubstr("Rhodesia"));
  EXPECT_THAT(text, HasSubstr("update"));
}

constexpr const char* kGood = "name: City\nschedule: every day at 2am\nsource: ../city.csv\nkey: id\n";
constexpr const char* kBroken = "name: City\nschedule: evry blue moon\nsource: ../city.csv\nkey: id\n";

TEST(Serve, takes_a_new_file_at_once_and_keeps_running_a_broken_one_over_a_restart) {
  const Site site;
  site.copy_demo();
  site.write("city.csv", "id,name\n1,Bern\n");
  {
    Serving service(site);
    site.write_loader("City", kGood);
    EXPECT_TRUE(service.until_succeeded("City")) << service.process().output();
    EXPECT_EQ(site.count("city"), 1);

    site.write_loader("City", kBroken);
    EXPECT_TRUE(service.until([&] { return service.definition("City.loader.yaml").at("valid") == false; }));
    const auto state = service.definition("City.loader.yaml");
    EXPECT_EQ(state.at("usingStored"), true);
    EXPECT_EQ(state.at("errors").at(0).at("line"), 2);
    site.write("city.csv", "id,name\n1,Bern\n2,Basel\n");
    EXPECT_EQ(service.ended(service.run("City")).at("receipt").at("inserted"), 1) << "as last accepted";
    service.expect_clean_stop();
  }
  {
    Serving service(site);
    EXPECT_TRUE(service.has_loader("City")) << "broken over a restart: runs as stored";
    EXPECT_EQ(service.definition("City.loader.yaml").at("valid"), false);
    EXPECT_EQ(service.definition("City.loader.yaml").at("usingStored"), true);
    site.write("city.csv", "id,name\n1,Bern\n2,Basel\n3,Chur\n");
    EXPECT_EQ(service.ended(service.run("City")).at("receipt").at("inserted"), 1);

    site.write_loader("City", kGood);
    EXPECT_TRUE(service.until([&] { return service.definition("City.loader.yaml").at("valid") == true; }));

    std::filesystem::remove(site.definitions() / "City.loader.yaml");
    EXPECT_TRUE(service.until([&] { return !service.has_loader("City"); }));
    const auto all = service.get("/api/v1/recurring");
    for (const auto& recurring : all.at("items")) {
      EXPECT_NE(recurring.at("loader"), "City") << "only an absent file retires a schedule";
    }
    EXPECT_EQ(site.count("city"), 3) << "data is never touched";
    service.expect_clean_stop();
  }
}

TEST(Serve, forgets_a_loader_whose_file_went_while_nobody_ran) {
  const Site site;
  site.write("city.csv", "id,name\n1,Bern\n");
  site.write_loader("City", kGood);
  {
    Serving service(site);
    EXPECT_TRUE(service.until_succeeded("City"));
    service.expect_clean_stop();
  }
  std::filesystem::remove(site.definitions() / "City.loader.yaml");
  Serving service(site);
  EXPECT_FALSE(service.has_loader("City"));
  EXPECT_TRUE(service.get("/api/v1/recurring").at("items").empty());
  EXPECT_EQ(site.count("city"), 1);
}

}  // namespace
}  // namespace sluice::test
