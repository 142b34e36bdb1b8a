#include "api/query.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace sluice::api {
namespace {

constexpr std::array<std::string_view, 9> kStates = {
    "scheduled", "enqueued", "processing", "awaiting", "held", "succeeded", "failed", "deleted", "skipped"};

constexpr std::array<std::string_view, 5> kLoaderStates = {"running", "failing", "paused", "off", "broken"};

// One of the words, or what it may have been meant to be.
Result<void> check_word(std::string_view name, std::string_view word,
                        std::span<const std::string_view> known) {
  if (std::ranges::find(known, word) != known.end()) return {};
  const std::string_view near = word.size() > 40 ? std::string_view() : nearest(word, known);
  return fail(ErrorCode::invalid_argument,
              fmt::format("{}={}: no such state; {}", name, printable(word),
                          near.empty() ? fmt::format("it is one of {}", fmt::join(known, ", "))
                                       : fmt::format("did you mean '{}'?", near)));
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string text_parameter(const Target& target, std::string_view name) {
  const std::string* value = target.parameter(name);
  return value ? *value : std::string();
}

// Takes digits from the front of the text; nothing when there are not that many.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  const std::string_view digits = text.substr(0, count);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  text.remove_prefix(count);
  return number_of<int>(digits);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  using std::chrono::microseconds;
  if (!take(text, '.')) return microseconds(0);
  std::int64_t value = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 6) value = value * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return microseconds(value);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  using std::chrono::minutes;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return minutes(0);
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  take(text, ':');
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return minutes((west ? -1 : 1) * (*hour * 60 + *minute));
}

std::optional<Timestamp> time_of(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  Timestamp time = sys_days{date};
  if (text.empty()) return time;
  // A '+' that was not percent-encoded in the query arrives as a space; only an offset may follow one.
  if (!take(text, 'T') && !take(text, 't')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  const auto second = take(text, ':') ? take_digits(text, 2) : std::optional<int>(0);
  if (!minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  std::string rest(text);
  if (rest.starts_with(' ')) rest.front() = '+';
  std::string_view offset_text = rest;
  const auto offset = take_offset(offset_text);
  if (!fraction || !offset || !offset_text.empty()) return std::nullopt;
  return time + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction - *offset;
}

}  // namespace

Result<JobId> parse_job_id(std::string_view text) {
  const auto value = number_of<std::int64_t>(text);
  if (!value || *value <= 0) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no job '{}': a job id is a number", printable(text)));
  }
  return JobId(*value);
}

Result<int> parse_count(const Target& target, std::string_view name, int fallback, int low, int high) {
  const std::string* text = target.parameter(name);
  if (!text) return fallback;
  const auto value = number_of<int>(*text);
  if (!value || *value < low || *value > high) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}={}: must be a number from {} to {}", name, printable(*text), low, high));
  }
  return *value;
}

Result<PageRequest> parse_page(const Target& target) {
  PageRequest page;
  SLUICE_TRY(page.limit, parse_count(target, "limit", 50, 1, 500));
  page.after = text_parameter(target, "after");
  return page;
}

Result<JobFilter> parse_job_filter(const Target& target) {
  JobFilter filter;
  for (const auto& [name, value] : target.query) {
    if (name != "state") continue;
    for (const std::string_view state : split(value, ',')) {
      if (state.empty()) continue;
      SLUICE_CHECK(check_word("state", state, kStates));
      filter.states.emplace_back(state);
    }
  }
  filter.loader = text_parameter(target, "loader");
  filter.kind = text_parameter(target, "kind");
  filter.queue = text_parameter(target, "queue");
  filter.node = text_parameter(target, "node");
  filter.text = text_parameter(target, "text");
  const std::string retrying = text_parameter(target, "retrying");
  if (!retrying.empty() && retrying != "true" && retrying != "false") {
    return fail(ErrorCode::invalid_argument, "retrying: must be true or false");
  }
  filter.retrying = retrying == "true";
  SLUICE_TRY(filter.from, parse_time_parameter(target, "from"));
  SLUICE_TRY(filter.to, parse_time_parameter(target, "to"));
  if (const std::string batch = text_parameter(target, "batch"); !batch.empty()) {
    auto id = parse_job_id(batch);
    if (!id) return fail(ErrorCode::invalid_argument, "batch: must be the number of a batch");
    filter.batch = *id;
  }
  return filter;
}

Result<std::string> parse_expected(const Target& target) {
  std::string expected = text_parameter(target, "expected");
  if (!expected.empty()) SLUICE_CHECK(check_word("expected", expected, kStates));
  return expected;
}

Result<LoaderFilter> parse_loader_filter(const Target& target) {
  LoaderFilter filter;
  filter.text = text_parameter(target, "text");
  filter.state = text_parameter(target, "state");
  if (!filter.state.empty()) SLUICE_CHECK(check_word("state", filter.state, kLoaderStates));
  return filter;
}

Result<Timestamp> parse_time(std::string_view text) {
  const auto time = time_of(text);
  if (!time) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("'{}' is not a time; write it as 2026-01-05 or 2026-01-05T09:30:00Z", printable(text)));
  }
  return *time;
}

Result<std::optional<Timestamp>> parse_time_parameter(const Target& target, std::string_view name) {
  const std::string* text = target.parameter(name);
  if (!text || text->empty()) return std::optional<Timestamp>();
  auto time = parse_time(*text);
  if (!time) return fail_within(name, std::move(time).error());
  return std::optional<Timestamp>(*time);
}

std::string list_document(const ListPage& page, const Target& target) {
  if (page.next.empty()) return fmt::format(R"({{"items":{},"next":null}})", page.items);
  std::string url = target.path + "?";
  for (const auto& [name, value] : target.query) {
    if (name != "after") url += fmt::format("{}={}&", percent_encode(name), percent_encode(value));
  }
  // The path is what the client sent: it may hold a quote or a backslash, which JSON must not see bare.
  std::string escaped;
  for (const char c : url) {
    if (c == '"' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return fmt::format(R"({{"items":{},"next":"{}after={}"}})", page.items, escaped, percent_encode(page.next));
}

}  // namespace sluice::api
