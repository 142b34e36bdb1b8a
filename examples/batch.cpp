// A batch with a continuation: the pieces are counted by jobs of their own, at once, and the sum is told when
// the last of them has ended.
//   batch FOLDER TEXT...
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/jobs/sqlite/store.h>
#include <sluice/jobs/typed.h>

#include <cstdio>
#include <string>
#include <vector>

namespace jobs = sluice::jobs;

struct CountLetters {
  std::string text;
  static constexpr std::string_view job_kind = "count-letters";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CountLetters, text)

struct Letters {
  int letters = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Letters, letters)

struct Sum {
  static constexpr std::string_view job_kind = "sum";
};
void to_json(nlohmann::json& json, const Sum&) { json = nlohmann::json::object(); }
void from_json(const nlohmann::json&, Sum&) {}

// What follows a batch finds it as its parent, and through it the members with their results.
sluice::Result<Letters> add_up(jobs::Store& store, jobs::JobContext& context) {
  SLUICE_TRY(const auto batch, context.parent());
  if (!batch) return sluice::fail(sluice::ErrorCode::not_found, "the batch was forgotten");
  Letters sum;
  jobs::JobFilter members;
  members.batch = batch->id;
  members.limit = 1000;
  SLUICE_TRY(const auto counted, store.queries().list(members));
  for (const auto& member : counted) {
    SLUICE_TRY(const auto letters, jobs::result_of<Letters>(member));
    sum.letters += letters.letters;
  }
  return sum;
}

sluice::Result<void> run(const std::string& folder, const std::vector<std::string>& texts) {
  SLUICE_TRY(const auto store, jobs::open_sqlite_store(folder));
  sluice::SystemClock clock;
  jobs::Engine engine(*store, clock);
  engine.on<CountLetters>([](const CountLetters& piece) -> sluice::Result<Letters> {
    return Letters{static_cast<int>(piece.text.size())};
  });
  engine.on<Sum>([&](const Sum&, jobs::JobContext& context) { return add_up(*store, context); });
  SLUICE_CHECK(engine.start());

  jobs::NewBatch batch;
  batch.name = "letters";
  for (const auto& text : texts) {
    SLUICE_TRY(auto piece, jobs::new_job(CountLetters{text}));
    batch.jobs.push_back(std::move(piece));
  }
  SLUICE_TRY(const auto id, engine.create_batch(batch));
  jobs::NewJob after;
  after.parent = id;  // once all have succeeded; Follows::finished: whatever became of them
  SLUICE_TRY(const auto sum, engine.enqueue(Sum{}, after));
  SLUICE_TRY(const auto done, engine.wait(sum));
  SLUICE_TRY(const auto letters, jobs::result_of<Letters>(done));
  SLUICE_TRY(const auto counts, store->flow().batch(id));
  fmt::print("{} texts, {} letters\n", counts ? counts->succeeded : 0, letters.letters);
  return {};
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: batch FOLDER TEXT...\n");
    return 2;
  }
  const auto done = run(argv[1], {argv + 2, argv + argc});
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().describe());
  return 1;
}
