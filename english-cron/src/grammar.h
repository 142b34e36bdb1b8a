// Tokens -> plans: recursive descent, one member per construct. The grammar table is in README.md.
#pragma once

#include "lexer.h"
#include "plan.h"

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>

namespace english_cron {

class Grammar {
 public:
  Grammar(std::string_view phrase, const Tokens& tokens) : phrase_(phrase), tokens_(tokens) {}
  std::expected<Parsed, PhraseError> parse();

 private:
  using Kind = Token::Kind;
  // The groups whose return after another one tells that a second schedule has begun.
  enum class Group : std::uint8_t { none, time, weak_day, day };

  // grammar.cpp: clauses
  bool parse_plan();
  bool finish_plan();
  bool settle_days(const Token& at, bool had_week, bool had_month);
  bool parse_clause();
  bool parse_word_clause(const Token& at);
  bool enter(Group group, const Token& at);
  bool is_whole() const;
  bool skip_whole();

  // grammar_interval.cpp
  bool set_step(int n, UnitWord unit, Span span, bool bare);
  bool adds_hours(const Step& step);
  bool parse_every_other(const Token& at);
  bool parse_every();
  bool parse_decimal(const Token& at);
  bool parse_every_unit(int n, const Token& at);
  bool parse_every_ordinal();
  bool halves() const;
  bool parse_halves(int n, const Token& at);
  bool parse_adverb();
  bool names_interval(std::size_t ahead) const;  // "5 minute intervals"
  bool parse_short_interval();

  // grammar_starting.cpp: where an interval or a period begins
  bool parse_start_of(const Token& at);
  bool parse_starting_minute();
  bool parse_starting();

  // grammar_extent.cpp: exceptions, conditions, zones, counts
  bool names_moment(std::size_t ahead) const;
  bool names_place() const;
  bool parse_excepted_place();
  bool names_window_of_moments() const;
  bool parse_except();
  bool parse_condition();
  bool parse_zone();
  bool parse_count();
  bool check_count();
  bool parse_parity();

  // grammar_time.cpp: times of day
  bool starts_time(std::size_t ahead = 0) const;
  bool starts_relative(std::size_t ahead) const;
  bool fits_part(int second, const Token& at);
  bool apply_meridiem(int& second, bool& bare, const Token& number);
  void settle_bare(int second, const Token& number);
  bool parse_relative_time(int& second, bool& bare);
  bool parse_time_of_day(int& second, bool& bare);
  bool parse_time(int& second);
  bool said_half() const;
  bool may_be_date(const Token& first) const;
  bool parse_times();
  bool refuse_interval_at();
  bool parse_at();

  // grammar_windows.cpp
  bool is_window_of_interval();
  bool add_window(int from, int to, const Token& at);
  bool begins_side_window(int minute);
  bool keep_window(const Window& window);
  bool names_dates_between() const;
  bool parse_dates_between(const Token& at);
  bool parse_between_days(const Token& at);
  bool parse_window(bool between);
  bool parse_window_side();
  bool parse_day_part();
  bool parse_business();

  // grammar_minutes.cpp: minutes of the hour, hours of the day
  bool parse_number_list(int low, int high, std::uint64_t& bits, bool& range);
  bool parse_past_hours();
  bool parse_colon_minutes();
  bool lists_minutes() const;
  bool parse_minutes_of_interval();
  bool parse_minutes_past();
  bool parse_on_the();

  // grammar_describers.cpp: false without an error when something else follows
  bool read_field_range(int low, int high, int step, std::uint64_t& bits);
  bool parse_minutes_of_field(int step);
  bool parse_hours_of_field(int step);
  bool parse_months_of_field(int step);
  bool parse_days_of_field(int step, const Token& at);

  // grammar_days.cpp
  bool is_day_number(std::size_t ahead, bool numbers) const;
  bool read_day_number(int& day, bool numbers);
  bool starts_days() const;
  bool lists_days_of_month() const;
  bool ranges_before_month() const;
  bool parse_days(Days& days, std::uint16_t& months);
  bool parse_weekdays(Days& days);
  bool parse_ordinals(Days& days, std::uint16_t& months, bool numbers);
  bool parse_last(Days& days, std::uint16_t& months);
  bool parse_holiday(Days& days);

  // grammar_period.cpp: days counted from the end
  std::size_t period_end_length(std::size_t ahead) const;
  bool parse_period_end(Days& days, std::uint16_t& months);
  bool parse_before_end(Days& days);
  int read_but_one();

  // grammar_months.cpp: months, and days of named months
  bool parse_months(std::uint16_t& months);
  // `ranged`: "and" leads to the end of a range, after "between".
  bool parse_month_clause(Days& days, std::uint16_t& months, bool ranged = false);
  std::size_t month_list_length() const;
  bool parse_day_of_months(Days& days, std::size_t length);
  bool except_in_months(const Token& at, std::uint16_t months);
  static bool has_day(int month, int day);
  static void add_dates(Days& days, int day, int month, int last_day, int last_month);
  bool no_such_day(const Token& at, int month, int day);
  void skip_month_phrase();
  bool parse_of_month(Days& days, std::uint16_t& months, std::uint32_t numbers);

  // grammar_cursor.cpp
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_.list[std::min(pos_ + ahead, tokens_.count)];
  }
  const Token& take() { return tokens_.list[pos_ < tokens_.count ? pos_++ : pos_]; }
  bool accept(Word word);
  bool accept(Kind kind);
  bool is_unit(std::size_t ahead, UnitWord unit) const;
  bool is_separator(std::size_t ahead) const;
  bool is_range(std::size_t ahead) const;
  std::size_t skip_the(std::size_t ahead) const;
  bool read_number(int& value);
  int ordinal_at(std::size_t ahead) const;  // 0: none; "second" counts
  std::size_t ordinal_length(std::size_t ahead) const;

  bool refuse(const Token& at, std::string message, std::string suggestion = {});
  bool refuse(Span at, std::string message, std::string suggestion = {});
  bool expected(std::string what, std::string suggestion = {});
  void warn(std::string text);
  Span span_from(const Token& first) const;
  std::string text_of(const Token& token) const {
    return std::string(phrase_.substr(token.offset, token.length));
  }

  std::string_view phrase_;
  const Tokens& tokens_;
  std::size_t pos_ = 0;
  Parsed out_;
  Plan plan_;
  bool connected_ = false;    // "and" or "," stands before this clause
  bool strong_ = false;       // it was "and"
  bool only_ = false;         // "only" stands before this clause
  bool limit_ = false;        // "from the 1st to the 7th", "in the first 7 days": other days must meet it
  bool repeated_at_ = false;  // "at 9am and at noon"
  bool saw_time_ = false;
  bool saw_day_ = false;
  bool saw_weak_day_ = false;
  bool need_time_ = false;
  bool need_day_ = false;
  Group latest_ = Group::none;
  int part_ = -1;                    // DayPart that decides "at 7"; -1: none
  const Token* ends_day_ = nullptr;  // "24:00"
  bool midnight_ = false;            // the word
  bool nth_months_ = false;
  bool zone_seen_ = false;
  PhraseError error_;
};

}  // namespace english_cron
