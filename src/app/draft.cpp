#include "app/draft.h"

#include "app/init_words.h"
#include "app/loaders.h"
#include "app/progress_bar.h"
#include "base/clock.h"
#include "base/text.h"
#include "definition/check.h"
#include "english_cron/translation.h"
#include "load/plan.h"

#include <algorithm>
#include <system_error>

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTried = 3;

class BarObserver final : public load::Observer {
 public:
  explicit BarObserver(const GlobalOptions& globals) : bar_("reading", !globals.quiet && !globals.json) {}
  void progress(const Progress& progress) override {
    bar_.show({.rows = progress.rows, .bytes = progress.bytes, .total_bytes = progress.total_bytes});
  }
  void log(Level, std::string_view) override {}

 private:
  ProgressBar bar_;
};

}  // namespace

Draft::Draft(const InitOptions& options, const GlobalOptions& globals, std::stop_token stop)
    : options_(options), globals_(globals), stop_(std::move(stop)) {
  if (!options.name.empty()) {
    words_.name = options.name;
  } else if (!options.source.empty()) {
    words_.name = name_from_source(options.source);
  }
  words_.schedule = options.schedule;
  words_.records = options.records;
  words_.key = options.key;
  if (!options.source.empty()) words_.source = source_from(globals.definitions, options.source);
}

template <class Use>
auto Draft::with_request(Use use) {
  SystemClock clock;
  const service::Databases databases(globals_.database, globals_.data);
  // A database that cannot be used is for the first run to complain about.
  const auto database = databases.url_for(loader_->spec, catalog_->service);
  load::Environment environment{.clock = clock,
                                .spool_directory = fs::temp_directory_path(),
                                .policy = service::fetch_policy(service_options(globals_)),
                                .user_agent = std::string("sluice/") + SLUICE_VERSION,
                                .connections = nullptr};
  const load::Request request{
      .loader = loader_->spec,
      .database = database.value_or("sqlite:" + (globals_.data / "sluice.db").string()),
      .job = {},
      .store = {},
      .catalog_hash = {},
      .definition_hash = {}};
  BarObserver observer(globals_);
  return use(request, environment, observer);
}

std::optional<int> Draft::settle() {
  if (const auto fine = check_words(); !fine) return report(fine.error(), globals_);
  if (const auto code = check()) return code;
  if (options_.source.empty() || options_.offline) return std::nullopt;
  return look();
}

Result<void> Draft::check_words() const {
  const auto& name = words_.name;
  if (name.empty() || name.find_first_of("/\\") != std::string::npos || name.starts_with('.')) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" cannot be the name of a loader and its file", printable(name, 60)));
  }
  if (const auto phrase = english_cron::translate(words_.schedule); !phrase) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("schedule \"{}\": {}", words_.schedule, phrase.error().message));
  }
  std::error_code ignored;
  if (!options_.force && !options_.print && fs::exists(path(), ignored)) {
    return fail(ErrorCode::already_exists,
                fmt::format("{} exists already; choose another name, or give --force to replace it",
                            path().string()));
  }
  return {};
}

Result<void> Draft::check_key() const {
  std::vector<std::string_view> names;
  for (const auto& seen : survey_->columns) names.push_back(seen.column.name);
  for (const auto& key : options_.key) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    const auto near = nearest(key, names);
    return fail(ErrorCode::invalid_argument,
                fmt::format("--key: the source has no column \"{}\"; {}", printable(key, 60),
                            near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                         : fmt::format("did you mean \"{}\"?", near)));
  }
  return {};
}

// The text as `sluice check` would judge it, among the other files of the folder.
std::optional<int> Draft::check() {
  std::vector<definition::SourceFile> files;
  std::error_code ignored;
  if (fs::exists(globals_.definitions, ignored)) {
    auto read = definition::read_folder(globals_.definitions);
    if (!read) return report(read.error(), globals_);
    files = std::move(*read);
  }
  const auto file = words_.name + ".loader.yaml";
  std::erase_if(files, [&](const auto& other) { return other.path == file; });
  files.push_back(definition::make_source_file(file, text()));
  const auto result = definition::check(files, service::check_options(service_options(globals_)));
  catalog_ = result.catalog;
  loader_ = catalog_->find(words_.name);
  if (loader_ != nullptr) return std::nullopt;
  service::Definitions definitions;
  definitions.catalog = result.catalog;
  for (const auto& report : result.files) {
    if (report.file == file) definitions.files.push_back({.report = report, .accepted_at = {}});
  }
  return report(why_not(definitions, words_.name), globals_);
}

// Reads the source and takes the likeliest key that a run would accept.
std::optional<int> Draft::look() {
  auto seen = with_request([&](const auto& request, auto& environment, auto& observer) {
    return app::survey(request, environment, observer, stop_);
  });
  if (!seen) return failed(std::move(seen).error());
  survey_ = std::move(*seen);
  if (survey_->columns.empty()) {
    return failed({.code = ErrorCode::malformed,
                   .where = {},
                   .message = fmt::format("{} is empty: it tells neither columns nor key", words_.source),
                   .retry_after = {}});
  }
  const bool given = !options_.key.empty();
  if (const auto fine = check_key(); given && !fine) return report(fine.error(), globals_);
  describe(*survey_, words_);
  std::vector<std::vector<std::string>> candidates = {options_.key};
  if (!given) {
    candidates = survey_->keys;
    candidates.resize(std::min(candidates.size(), kMostTried));
    candidates.emplace_back();  // no key at all
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    choose_key(*survey_, candidates[i], given, words_);
    if (const auto code = check()) return code;
    const auto receipt = planned();
    const bool last = i + 1 == candidates.size();
    const bool repeats = !candidates[i].empty() && receipt.duplicates > 0;
    if (!last && (repeats || receipt.error)) continue;
    if (receipt.error) return failed(*receipt.error);
    if (repeats) {
      notes_.push_back(fmt::format("{} of {} records repeat the key of another one; the last of each counts",
                                   group_digits(receipt.duplicates), group_digits(receipt.read)));
    }
    if (receipt.rejected > 0) {
      notes_.push_back(fmt::format("{} of {} records would be rejected: `sluice plan` says why",
                                   group_digits(receipt.rejected), group_digits(receipt.read)));
    }
    break;
  }
  return std::nullopt;
}

// What the first run would do.
Receipt Draft::planned() {
  return with_request([&](const auto& request, auto& environment, auto& observer) {
    return load::plan(request, environment, observer, 0, stop_).receipt;
  });
}

int Draft::failed(Error error) const {
  if (stop_.stop_requested()) return 130;
  error.message += "; nothing was written";
  if (error.code != ErrorCode::forbidden)
    error.message += " (--offline writes a definition without looking at the source)";
  return report(error, globals_);
}

}  // namespace sluice::app
