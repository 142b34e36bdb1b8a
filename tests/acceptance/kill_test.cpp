// kill -9 at random instants of a load of 200,000 rows with changes, in every mode: after a restart the job
// is there, it succeeds, its receipt and the table are those of a load that nobody killed, and it ran once.
//
// SLUICE_KILLS says how many (default 30), SLUICE_SEED at which instants. scripts/prove.sh runs the long
// form.
#include "acceptance/database.h"
#include "acceptance/loopback_http.h"
#include "acceptance/process.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
namespace fs = std::filesystem;
using Milliseconds = std::chrono::milliseconds;

constexpr int kRows = 200'000;

struct Mode {
  const char* name;
  const char* load;
  bool key;
  bool first = false;  // the first load is killed, not the one with changes
};
constexpr std::array<Mode, 9> kModes = {{
    {"sync_keep", "{mode: sync}", true},
    {"sync_soft_delete", "{mode: sync, vanished: softDelete}", true},
    {"sync_delete", "{mode: sync, vanished: delete}", true},
    {"upsert", "{mode: upsert}", true},
    {"append_without_key", "{mode: append}", false},
    {"append_with_key", "{mode: append}", true},
    {"replace", "{mode: replace}", true},
    {"first_load", "{mode: sync}", true, true},
    {"first_append", "{mode: append}", false, true},
}};

int number_from(const char* variable, int fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::atoi(text);
}

// Version 2 changes one row of ten, drops one of twenty and adds as many; both are in key order but for the
// rows of the last digit 7, which come last.
std::string csv(int version) {
  std::string text = "id,name,amount\n";
  const auto add = [&](int id) {
    const bool changed = version == 2 && id % 10 == 3;
    text += std::to_string(id);
    text += changed ? ",\"changed, " : ",name ";
    text += std::to_string(id * 7919LL % 1'000'003);
    text += changed ? "\"," : ",";
    text += std::to_string(id % 1000 + (changed ? 1 : 0)) + "." + std::to_string(10 + id % 90) + "\n";
  };
  const int begin = version == 2 ? kRows / 20 : 0;
  for (const bool last : {false, true}) {
    for (int id = begin; id < begin + kRows; ++id) {
      if ((id % 10 == 7) == last) add(id);
    }
  }
  return text;
}

// One definitions folder with one loader, its input and its data.
class Home {
 public:
  explicit Home(const Mode& mode) {
    write_text(
        path() / "definitions/t.loader.yaml",
        std::string(
            "name: t\nschedule: {start: manual, retry: {limit: 3, delay: 1h}}\nsource: {file: ../t.csv}\n") +
            (mode.key ? "key: id\n" : "") + "load: " + mode.load + "\nguards: {maxDeletes: 100%}\n");
  }
  Home(const Mode& mode, const Home& like) : Home(mode) {
    if (fs::exists(like.path() / "data"))
      fs::copy(like.path() / "data", path() / "data", fs::copy_options::recursive);
  }
  const fs::path& path() const { return folder_.path(); }
  void give(const std::string& text) const { write_text(path() / "t.csv", text); }
  std::string target() const { return path() / "data/sluice.db"; }
  std::string store() const { return path() / "data/jobs.db"; }

 private:
  TemporaryFolder folder_;
};

// The rows of the table as a set, whatever their order: their number and the sum of their hashes.
struct Content {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;
  friend bool operator==(const Content&, const Content&) = default;
};

Content content_of(const Home& home) {
  const Database database(home.target());
  Content content;
  if (!database.has_table("t")) return content;
  const bool soft =
      database.number("select count(*) from pragma_table_info('t') where name = '_deleted_at'") > 0;
  const auto rows = database.rows(std::string("select id || '|' || name || '|' || amount || '|' || ") +
                                  (soft ? "(_deleted_at is not null)" : "0") + " from t");
  for (const auto& row : rows) {
    std::uint64_t hash = 14'695'981'039'346'656'037u;
    for (const char byte : row.at(0).value_or("")) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211u;
    }
    content.sum += hash ^ (hash >> 29);
    ++content.rows;
  }
  return content;
}

std::int64_t number_of(const std::string& file, const std::string& query) {
  return Database(file).number(query);
}

class Service {
 public:
  explicit Service(const Home& home)
      : process_({sluice_program(), "serve", "--listen", "127.0.0.1:0"}, home.path()) {
    constexpr std::string_view kSays = "the page: http://127.0.0.1:";
    if (!process_.wait_for_output("/jobs\n")) {
      ADD_FAILURE() << "the service did not start:\n" << process_.output();
      return;
    }
    const std::string output = process_.output();
    const char* digits = output.data() + output.find(kSays) + kSays.size();
    std::from_chars(digits, output.data() + output.size(), port_);
  }

  std::string start_run() const {
    const auto answer = http_post(port_, "/api/v1/loaders/t/run");
    if (!answer || answer->status / 100 != 2) {
      ADD_FAILURE() << "no run was started: " << (answer ? answer->body : "no answer");
      return {};
    }
    return Json::parse(answer->body).at("job").get<std::string>();
  }

  Json job(const std::string& id) const {
    const auto answer = http_get(port_, "/api/v1/jobs/" + id);
    return answer && answer->status == 200 ? Json::parse(answer->body) : Json();
  }

  // Waits for the job's end. A retry would come an hour later: what ends here was run at once.
  Json ended(const std::string& id) {
    const auto until = std::chrono::steady_clock::now() + 120s;
    Json seen;
    while (std::chrono::steady_clock::now() < until) {
      seen = job(id);
      if (seen.is_null()) break;
      const auto state = seen.at("state").get<std::string>();
      if (state != "enqueued" && state != "processing" && state != "scheduled") return seen;
      if (process_.wait_for(10ms)) break;
    }
    ADD_FAILURE() << "job " << id << " is " << (seen.is_null() ? "lost" : seen.dump())
                  << "; the service said:\n"
                  << process_.output();
    return {};
  }

  bool runs_for(Milliseconds time) { return !process_.wait_for(time); }
  void kill() {
    process_.signal(SIGKILL);
    process_.wait();
  }
  void stop() {
    process_.signal(SIGTERM);
    EXPECT_EQ(process_.wait().exit_code, 0);
  }

 private:
  Process process_;
  std::uint16_t port_ = 0;
};

constexpr std::array kCounts = {"read",     "inserted", "updated", "deleted",    "restored",   "unchanged",
                                "vanished", "rejected", "ignored", "duplicates", "rowsBefore", "rowsAfter"};

// What a mode starts from, and what a load that nobody kills makes of it.
struct Clean {
  std::unique_ptr<Home> before;
  Content content_before;
  Content content_after;
  Json receipt;
  Milliseconds duration{};
};

class Kills : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    inputs_ = new std::array<std::string, 2>{csv(1), csv(2)};
    cleans_ = new std::map<std::string, Clean>;
  }
  static void TearDownTestSuite() {
    delete inputs_;
    delete cleans_;
  }

  static const std::string& input(const Mode& mode) { return mode.first ? (*inputs_)[0] : (*inputs_)[1]; }

  static const Clean& clean(const Mode& mode) {
    Clean& made = (*cleans_)[mode.name];
    if (made.before) return made;
    made.before = std::make_unique<Home>(mode);
    if (!mode.first) {
      made.before->give((*inputs_)[0]);
      EXPECT_EQ(run({sluice_program(), "run", "t", "--quiet"}, made.before->path()).exit_code, 0);
      made.content_before = content_of(*made.before);
      EXPECT_EQ(made.content_before.rows, kRows);
    }
    const Home home(mode, *made.before);
    home.give(input(mode));
    Service service(home);
    const auto begin = std::chrono::steady_clock::now();
    const Json job = service.ended(service.start_run());
    made.duration = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
    EXPECT_EQ(job.value("state", ""), "succeeded") << job.dump();
    made.receipt = job.value("receipt", Json());
    service.stop();
    made.content_after = content_of(home);
    EXPECT_NE(made.content_after, made.content_before);
    return made;
  }

  // Ends whatever was begun, then compares with the load that nobody killed. `id` empty: the killed process
  // had not enqueued its job.
  static void expect_exact(const Mode& mode, const Home& home, std::string id) {
    const Clean& expected = clean(mode);
    Service service(home);
    if (id.empty()) id = service.start_run();
    const Json job = service.ended(id);
    ASSERT_FALSE(job.is_null());
    EXPECT_EQ(job.at("state"), "succeeded") << job.dump();
    EXPECT_EQ(job.at("attempt"), 1) << "a crash is no failed attempt";
    ASSERT_TRUE(job.at("receipt").is_object());
    EXPECT_EQ(job.at("receipt").at("applied"), true);
    for (const char* count : kCounts)
      EXPECT_EQ(job.at("receipt").at(count), expected.receipt.at(count)) << count;
    service.stop();

    EXPECT_EQ(content_of(home), expected.content_after);
    EXPECT_EQ(number_of(home.target(), "select count(*) from _sluice_run where applied = 1 and job = " + id),
              1);
    EXPECT_EQ(number_of(home.target(), "select count(*) from _sluice_run where applied = 1"),
              mode.first ? 1 : 2);
    EXPECT_EQ(number_of(home.target(), "select count(*) from pragma_quick_check where quick_check <> 'ok'"),
              0);
    EXPECT_EQ(number_of(home.store(), "select count(*) from pragma_quick_check where quick_check <> 'ok'"),
              0);
  }

  // After a kill the target has either all of the run or nothing of it.
  static void expect_whole(const Mode& mode, const Home& home) {
    if (!fs::exists(home.target())) return;
    const Content content = content_of(home);
    const Clean& expected = clean(mode);
    EXPECT_TRUE(content == expected.content_before || content == expected.content_after)
        << content.rows << " rows";
  }

 private:
  static inline std::array<std::string, 2>* inputs_ = nullptr;
  static inline std::map<std::string, Clean>* cleans_ = nullptr;
};

TEST_F(Kills, at_random_instants_leave_the_table_of_a_clean_load_and_lose_no_job) {
  const int kills = number_from("SLUICE_KILLS", 30);
  const auto seed = static_cast<unsigned>(number_from("SLUICE_SEED", 20'260'105));
  std::mt19937 random(seed);
  int after_commit = 0;
  for (int done = 0, round = 0; done < kills; ++round) {
    const Mode& mode = kModes[static_cast<std::size_t>(round) % kModes.size()];
    const Clean& expected = clean(mode);
    const Home home(mode, *expected.before);
    home.give(input(mode));
    // Every fifth job is killed twice, so that the rescued run is hit as well.
    const int times = round % 5 == 4 && done + 2 <= kills ? 2 : 1;
    std::string id;
    for (int time = 0; time < times; ++time, ++done) {
      const Milliseconds instant(
          std::uniform_int_distribution<int>(0, static_cast<int>(expected.duration.count()))(random));
      SCOPED_TRACE(std::string(mode.name) + ", kill " + std::to_string(done + 1) + " at " +
                   std::to_string(instant.count()) + " ms, SLUICE_SEED=" + std::to_string(seed));
      Service service(home);
      if (id.empty()) id = service.start_run();
      EXPECT_TRUE(service.runs_for(instant)) << "the service ended by itself";
      service.kill();
      expect_whole(mode, home);
      if (HasFailure()) return;
    }
    SCOPED_TRACE(std::string(mode.name) + " after kill " + std::to_string(done) +
                 ", SLUICE_SEED=" + std::to_string(seed));
    after_commit +=
        static_cast<int>(number_of(home.store(), "select count(*) from lease where job = " + id) > 0 &&
                         content_of(home) == expected.content_after);
    expect_exact(mode, home, id);
    if (HasFailure()) return;
  }
  RecordProperty("between_commit_and_completion", after_commit);
}

// The job store is kept locked, so that the job cannot be completed: what the kill hits is certain.
TEST_F(Kills, between_target_commit_and_completion_adopt_the_receipt) {
  for (const Mode& mode : kModes) {
    SCOPED_TRACE(mode.name);
    const Clean& expected = clean(mode);
    const Home home(mode, *expected.before);
    home.give(input(mode));
    std::string id;
    {
      Service service(home);
      id = service.start_run();
      while (service.job(id).value("state", "") == "enqueued") ASSERT_TRUE(service.runs_for(1ms));
      const Database store(home.store(), Database::Access::write);
      store.execute("begin immediate");
      const auto committed = [&] {
        if (!fs::exists(home.target())) return false;
        const Database target(home.target());
        if (!target.has_table("_sluice_run")) return false;
        return target.number("select count(*) from _sluice_run where job = " + id) > 0;
      };
      while (!committed()) ASSERT_TRUE(service.runs_for(2ms));
      service.kill();
      store.execute("rollback");
    }
    EXPECT_EQ(number_of(home.store(), "select count(*) from lease where job = " + id), 1)
        << "the job was still processing";
    EXPECT_EQ(content_of(home), expected.content_after);
    const auto generation = number_of(home.target(), "select generation from _sluice_table");
    home.give("id,name,amount\n1,another,1.5\n");  // an adopted run fetches nothing
    expect_exact(mode, home, id);
    EXPECT_EQ(number_of(home.target(), "select generation from _sluice_table"), generation);
    if (HasFailure()) return;
  }
}

TEST_F(Kills, of_a_run_from_the_command_line_are_made_good_by_the_service) {
  std::mt19937 random(static_cast<unsigned>(number_from("SLUICE_SEED", 20'260'105)));
  for (const std::size_t number : {2u, 4u}) {
    const Mode& mode = kModes[number];
    SCOPED_TRACE(mode.name);
    const Clean& expected = clean(mode);
    const Home home(mode, *expected.before);
    home.give(input(mode));
    {
      Process process({sluice_program(), "run", "t", "--quiet"}, home.path());
      process.wait_for(Milliseconds(
          std::uniform_int_distribution<int>(0, static_cast<int>(expected.duration.count()))(random)));
      process.signal(SIGKILL);
      process.wait();
    }
    expect_whole(mode, home);
    // Jobs count from 1; the clean first load, if any, was the first.
    const auto last = number_of(home.store(), "select max(id) from job");
    expect_exact(mode, home, last == 2 ? "2" : "");
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice::test
