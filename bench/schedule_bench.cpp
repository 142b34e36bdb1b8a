// What does a phrase cost to translate, and a schedule to ask for its next run? One core; DESIGN section 4
// has the promises: next ≤ 60 ns simple, ≤ 150 ns with zone rules.
#include "english_cron/schedule.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <string>

namespace {

std::size_t allocations = 0;  // counted, so that "no allocation beyond the result" can be read off

}  // namespace

// Not inlined: GCC would otherwise see a free() of what a new gave, and call it a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace english_cron {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

void translate_phrase(benchmark::State& state, const char* phrase, const char* zone) {
  const TranslateOptions options{.zone = zone, .anchor = {}};
  const std::size_t before = allocations;
  for (auto _ : state) benchmark::DoNotOptimize(translate(phrase, options));
  state.counters["allocations"] =
      static_cast<double>(allocations - before) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(translate_phrase, minutes, "every 5 minutes", "UTC");
BENCHMARK_CAPTURE(translate_phrase, weekday, "every weekday at 7:15am", "UTC");
BENCHMARK_CAPTURE(translate_phrase, weekday_in_zone, "every weekday at 7:15am Europe/Zurich", "UTC");
BENCHMARK_CAPTURE(translate_phrase, first_monday, "first monday of the month at 9am", "Europe/Zurich");
BENCHMARK_CAPTURE(translate_phrase, window, "every 15 minutes from 9am to 5pm on weekdays", "UTC");
BENCHMARK_CAPTURE(translate_phrase, cron, "*/10 12-20 ? DEC 3", "UTC");
BENCHMARK_CAPTURE(translate_phrase, refused, "every wek at 9am", "UTC");

// Is the time linear in the length? Lists of times and of days, up to the longest phrase; words without end.
void translate_length(benchmark::State& state, const char* head, const char* more) {
  std::string phrase = head;
  while (phrase.size() + std::string_view(more).size() <= static_cast<std::size_t>(state.range(0)))
    phrase += more;
  for (auto _ : state) benchmark::DoNotOptimize(translate(phrase));
  state.SetComplexityN(state.range(0));
}
BENCHMARK_CAPTURE(translate_length, times, "every day at 9:15", ", 17:30")
    ->RangeMultiplier(2)
    ->Range(32, 256)
    ->Complexity(benchmark::oN);
BENCHMARK_CAPTURE(translate_length, days, "mondays", " and fridays")
    ->RangeMultiplier(2)
    ->Range(32, 256)
    ->Complexity(benchmark::oN);
BENCHMARK_CAPTURE(translate_length, noise, "every day", " please run")
    ->RangeMultiplier(2)
    ->Range(32, 256)
    ->Complexity(benchmark::oN);
BENCHMARK_CAPTURE(translate_length, refused, "every day at", " to")
    ->RangeMultiplier(2)
    ->Range(32, 256)
    ->Complexity(benchmark::oN);

// Walks on from each run to the next, as a scheduler does.
void next_run(benchmark::State& state, const char* phrase, const char* zone) {
  const auto translation = translate(phrase, {.zone = zone, .anchor = {}});
  if (!translation) return state.SkipWithError("not a phrase");
  const auto schedule = Schedule::compile(*translation);
  const std::chrono::sys_seconds start{sys_days(year(2026) / 1 / 5)};
  const std::chrono::sys_seconds stop{sys_days(year(2034) / 1 / 1)};
  std::chrono::sys_seconds now = start;
  const std::size_t before = allocations;
  for (auto _ : state) {
    const auto found = schedule->next(now);
    now = found && *found < stop ? *found : start;
    benchmark::DoNotOptimize(now);
  }
  if (allocations != before) state.SkipWithError("next() allocates");
}
BENCHMARK_CAPTURE(next_run, every_minute, "* * * * *", "UTC");
BENCHMARK_CAPTURE(next_run, every_15_minutes, "*/15 * * * *", "UTC");
BENCHMARK_CAPTURE(next_run, daily, "30 9 * * *", "UTC");
BENCHMARK_CAPTURE(next_run, weekdays, "30 9 * * 1-5", "UTC");
BENCHMARK_CAPTURE(next_run, first_monday, "0 9 * * 1#1", "UTC");
BENCHMARK_CAPTURE(next_run, last_day, "0 17 L * *", "UTC");
BENCHMARK_CAPTURE(next_run, complex, "*/10 12-20 ? DEC 3", "UTC");
BENCHMARK_CAPTURE(next_run, every_minute_in_zone, "* * * * *", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, daily_in_zone, "30 9 * * *", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, weekdays_in_zone, "30 9 * * 1-5", "America/New_York");
BENCHMARK_CAPTURE(next_run, first_monday_in_zone, "0 9 * * 1#1", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, complex_in_zone, "*/10 12-20 ? DEC 3", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, interval_7_hours, "every 7 hours", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, interval_2_weeks, "every 2 weeks on monday at 9am", "Europe/Zurich");
BENCHMARK_CAPTURE(next_run, interval_with_days, "every 2 weeks on monday and thursday at 9am",
                  "Europe/Zurich");

// No date matches: known when compiled.
void next_of_unreachable(benchmark::State& state, const char* cron) {
  const auto translation = translate(cron);
  const auto schedule = Schedule::compile(*translation);
  const std::chrono::sys_seconds now{sys_days(year(2026) / 1 / 5)};
  for (auto _ : state) benchmark::DoNotOptimize(schedule->next(now));
}
BENCHMARK_CAPTURE(next_of_unreachable, february_30, "* * 30 2 *");
BENCHMARK_CAPTURE(next_of_unreachable, last_weekday_and_first_monday, "* * LW * 1#1");

void compile(benchmark::State& state, const char* cron, const char* zone) {
  const auto translation = translate(cron, {.zone = zone, .anchor = {}});
  for (auto _ : state) benchmark::DoNotOptimize(Schedule::compile(*translation));
}
BENCHMARK_CAPTURE(compile, utc, "30 9 * * *", "UTC");
BENCHMARK_CAPTURE(compile, zone, "30 9 * * *", "Europe/Zurich");
BENCHMARK_CAPTURE(compile, february_30, "* * 30 2 *", "UTC");
BENCHMARK_CAPTURE(compile, last_weekday_and_first_monday, "* * LW * 1#1", "UTC");

}  // namespace
}  // namespace english_cron
