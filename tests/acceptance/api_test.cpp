// The REST API on the running service: pages, progress, logs, rejects, what is shown of a process.
#include "acceptance/serving.h"
#include "fetch/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <latch>
#include <set>

namespace sluice::test {
namespace {

using fetch::test::HttpServer;
using fetch::test::SeenRequest;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Reply = HttpServer::Reply;

void write_many(const Site& site, int count) {
  site.write("things.json", R"([{"id":1,"name":"a"},{"id":2,"name":"b"}])");
  for (int i = 0; i < count; ++i) {
    site.write_loader(
        fmt::format("Thing{:04}", i),
        fmt::format("name: Thing{0:04}\nschedule: {{start: every day at 3am, runOnStartup: false}}\n"
                    "source: {{file: ../things.json}}\nkey: id\ntarget: {{table: thing_{0}}}\n",
                    i));
  }
}

// All items of a list, page by page, as a client follows `next`.
std::vector<Json> follow(const Serving& service, std::string url) {
  std::vector<Json> items;
  for (int pages = 0; pages < 1000; ++pages) {
    const auto page = service.get(url);
    for (const auto& item : page.at("items")) items.push_back(item);
    if (page.at("next").is_null()) return items;
    url = page.at("next").get<std::string>();
  }
  ADD_FAILURE() << "the pages of " << url << " do not end";
  return items;
}

TEST(Api, lists_of_loaders_and_definitions_come_in_pages) {
  const Site site;
  write_many(site, 25);
  site.write_loader("Broken",
                    "name: Broken\nschedule: every hurricane\nsource: {file: ../things.json}\nkey: id\n");
  const Serving service(site);
  std::set<std::string> names;
  const auto loaders = follow(service, "/api/v1/loaders?limit=7");
  for (const auto& loader : loaders) names.insert(loader.at("name"));
  EXPECT_EQ(loaders.size(), 25U);
  EXPECT_EQ(names.size(), 25U) << "none twice, none left out";
  const auto first = service.get("/api/v1/loaders?limit=7");
  EXPECT_EQ(first.at("items").size(), 7U);
  EXPECT_EQ(first.at("items")[0].at("name"), "Thing0000");

  const auto files = follow(service, "/api/v1/definitions?limit=10");
  ASSERT_EQ(files.size(), 26U);
  EXPECT_EQ(files[0].at("file"), "Broken.loader.yaml") << "broken ones first";
  const auto& problem = files[0].at("errors")[0];
  EXPECT_EQ(problem.at("line"), 2);
  EXPECT_EQ(problem.at("excerpt"), "schedule: every hurricane");
  EXPECT_EQ(problem.at("caret"), problem.at("column"));

  EXPECT_EQ(service.get("/api/v1/loaders?text=ing0013").at("items").size(), 1U);
  EXPECT_EQ(service.get("/api/v1/loaders?text=nobody").at("items").size(), 0U);
  http_post(service.port(), "/api/v1/loaders/Thing0003/pause");
  const auto paused = service.get("/api/v1/loaders?state=paused").at("items");
  ASSERT_EQ(paused.size(), 1U);
  EXPECT_EQ(paused[0].at("name"), "Thing0003");
  EXPECT_EQ(service.get("/api/v1/queues?limit=1").at("items").size(), 1U);
  EXPECT_EQ(service.get("/api/v1/queues").at("items").at(0).at("paused"), false);
  const auto nodes = service.get("/api/v1/nodes?limit=1").at("items");
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_GT(nodes[0].at("memoryBytes").get<std::int64_t>(), 1'000'000);
  EXPECT_EQ(http_get(service.port(), "/api/v1/jobs?after=x")->status, 400);
}

TEST(Api, a_schedule_is_explained_or_refused_at_its_place) {
  const Site site;
  const Serving service(site);
  const auto answer = service.get(
      "/api/v1/schedule?phrase=every+day+at+2:30am&zone=Europe/Zurich&from=2026-03-28T00:00:00Z&count=3");
  EXPECT_EQ(answer.at("crons"), Json({"30 2 * * *"}));
  EXPECT_EQ(answer.at("next"),
            Json({"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}));
  const auto refused = service.get("/api/v1/schedule?phrase=every+dya+at+2am");
  EXPECT_EQ(refused.at("ok"), false);
  EXPECT_EQ(refused.at("error").at("offset"), 6);
  EXPECT_EQ(refused.at("error").at("suggestion"), "day");
  // The zone is a parameter of its own, not a part of the phrase: a place in the phrase would point nowhere.
  const auto unknown = http_get(service.port(), "/api/v1/schedule?phrase=daily&zone=Mars/Base");
  EXPECT_EQ(unknown->status, 400);
  EXPECT_THAT(unknown->body, HasSubstr("Mars/Base"));
}

TEST(Api, a_loader_shows_its_last_runs) {
  const Site site;
  write_many(site, 3);
  const Serving service(site);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(service.ended(service.run("Thing0001")).at("state"), "succeeded");
  const auto loaders = service.get("/api/v1/loaders").at("items");
  ASSERT_EQ(loaders.size(), 3U);
  EXPECT_TRUE(loaders[0].at("lastRun").is_null());
  EXPECT_EQ(loaders[0].at("receipts").size(), 0U);
  const auto& ran = loaders[1];
  ASSERT_EQ(ran.at("receipts").size(), 2U);
  EXPECT_EQ(ran.at("receipts")[0].at("inserted"), 2) << "oldest first";
  EXPECT_EQ(ran.at("receipts")[1].at("notModified"), 1);
  EXPECT_EQ(ran.at("lastRun").at("id"), ran.at("receipts")[1].at("job"));
  const auto overview = service.get("/api/v1/overview");
  EXPECT_EQ(overview.at("last24h").at("rowsChanged"), 2);
  std::int64_t charted = 0;
  for (const auto& bucket : overview.at("throughput").at("buckets"))
    charted += bucket.at("rows").get<std::int64_t>();
  EXPECT_EQ(charted, 2);
}

TEST(Api, the_log_of_a_job_tells_its_steps) {
  const Site site;
  write_many(site, 1);
  const Serving service(site);
  const auto job = service.run("Thing0000");
  ASSERT_EQ(service.ended(job).at("state"), "succeeded");
  std::vector<std::string> lines;
  for (const auto& line : follow(service, "/api/v1/jobs/" + job + "/log?limit=3"))
    lines.push_back(line.at("message"));
  ASSERT_GE(lines.size(), 8U);
  EXPECT_EQ(lines[0], "load Thing0000 into table thing_0: mode sync, key id");
  EXPECT_THAT(lines, Contains("read things.json: 1 file, 41 bytes"));
  EXPECT_THAT(lines, Contains("created table thing_0"));
  EXPECT_THAT(lines, Contains("2 records read: 2 inserted"));
  EXPECT_THAT(lines.back(), testing::StartsWith("succeeded in "));
  const auto shown = site.sluice({"show", job});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  for (const auto& line : lines) EXPECT_THAT(shown.out, HasSubstr(line));
  const auto json = json_lines(site.sluice({"show", job, "--json"}).out);
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0].at("log").size(), lines.size());
  EXPECT_EQ(json[0].at("log")[0].at("message"), lines[0]);
}

TEST(Api, rejects_show_their_place_and_the_record) {
  const Site site;
  const std::string evil = "<script>alert(1)</script>\x1b[31m";
  std::string csv = "id,size\n1,10\n2,\"" + evil + "\"\n3,30\n";
  csv += "4," + std::string(3000, 'x') + "\n";
  site.write("things.csv", csv);
  site.write_loader("Things",
                    "name: Things\nschedule: manual\nsource: {file: ../things.csv}\nkey: id\n"
                    "columns: {id: int64, size: int64}\nguards: {maxRejects: 10}\n");
  const Serving service(site);
  const auto job = service.run("Things");
  const auto ended = service.ended(job);
  ASSERT_EQ(ended.at("receipt").at("rejected"), 2) << ended.dump();
  const auto rejects = follow(service, "/api/v1/jobs/" + job + "/rejects?limit=1");
  ASSERT_EQ(rejects.size(), 2U);
  EXPECT_EQ(rejects[0].at("line"), 3);
  EXPECT_EQ(rejects[0].at("locator"), "line 3");
  EXPECT_EQ(rejects[0].at("source"), "things.csv");
  EXPECT_EQ(rejects[0].at("column"), "size");
  EXPECT_THAT(rejects[0].at("raw").get<std::string>(), HasSubstr("<script>"));
  EXPECT_EQ(rejects[0].at("rawCut"), false);
  EXPECT_EQ(rejects[1].at("rawCut"), true);
  EXPECT_LE(rejects[1].at("raw").get<std::string>().size(), 2000U);

  const auto shown = site.sluice({"show", job});
  EXPECT_THAT(shown.out, HasSubstr("rejected: 2 of 4 records"));
  EXPECT_THAT(shown.out, HasSubstr("things.csv, line 3, column size: "));
  EXPECT_THAT(shown.out, HasSubstr("<script>alert(1)</script>"));
  EXPECT_THAT(shown.out, Not(HasSubstr("\x1b"))) << "a record must not command the terminal";
  EXPECT_THAT(shown.out, Not(HasSubstr(std::string(500, 'x')))) << "cut to a line";
  const auto json = json_lines(site.sluice({"show", job, "--json"}).out);
  ASSERT_EQ(json.size(), 1U);
  ASSERT_EQ(json[0].at("rejects").size(), 2U);
  EXPECT_EQ(json[0].at("rejects")[0], rejects[0]);
}

TEST(Api, a_running_job_tells_how_far_it_is) {
  std::latch half(1), go_on(1);
  const std::string body = R"([{"id":1,"name":"a"},{"id":2,"name":"b"},{"id":3,"name":"c"}])";
  const HttpServer server([&](const SeenRequest&, int, const Reply& reply) {
    reply.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, 30));
    half.count_down();
    go_on.wait();
    reply.send(body.substr(30));
    return true;
  });
  const Site site;
  site.write_loader("Things",
                    "name: Things\nschedule: manual\nkey: id\nsource: {url: \"" + server.url() + "\"}\n");
  const Serving service(site);
  const auto id = service.run("Things");
  half.wait();
  EXPECT_TRUE(service.until([&] {
    const auto job = service.job(id);
    return job.at("progress").is_object() && job.at("progress").at("bytes") == 30;
  })) << service.job(id).dump();
  const auto progress = service.job(id).at("progress");
  EXPECT_EQ(progress.at("phase"), "fetch");
  EXPECT_EQ(progress.at("bytesTotal"), body.size());
  EXPECT_TRUE(progress.at("rowsTotal").is_null());
  const auto listed = service.get("/api/v1/jobs?state=processing").at("items");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("progress").at("phase"), "fetch");
  EXPECT_EQ(service.get("/api/v1/overview").at("running")[0].at("progress").at("bytes"), 30);
  EXPECT_EQ(service.get("/api/v1/loaders/Things").at("running"), id);
  go_on.count_down();
  const auto ended = service.ended(id);
  EXPECT_EQ(ended.at("state"), "succeeded");
  EXPECT_TRUE(ended.at("progress").is_null());
}

}  // namespace
}  // namespace sluice::test
