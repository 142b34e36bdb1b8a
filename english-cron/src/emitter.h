// One plan -> its crons or its interval, added to a translation.
#pragma once

#include "calendar.h"
#include "emit.h"
#include "zones.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace english_cron {

class Emitter {
 public:
  /// All of them outlive the emitter.
  Emitter(const Plan& plan, const TranslateOptions& options, const std::optional<ZoneTable>& zone,
          Translation& out)
      : plan_(plan), options_(options), zone_(zone), out_(out) {}

  /// True intervals need the zone's table; building one costs more than the rest of a translation.
  bool needs_interval() const;

  /// False: refused, `error` says why.
  bool run();
  PhraseError error;

 private:
  struct TimeText {
    std::string text;  // the fields up to the hour
    bool next_day = false;
  };
  struct DayText {
    std::string day, month, weekday;
    bool movable = true;  // the weekday alone decides, so the day after can be said
  };
  using DayTexts = std::pmr::vector<DayText>;

  // emit_interval.cpp: true intervals
  int fine_minutes() const;
  bool divides() const;
  bool windowed() const;
  std::int64_t local_anchor_day() const;
  std::int64_t local_anchor() const;
  bool emit_interval();
  bool emit_calendar_interval(const Step& step, bool days_named);

  // emit_times.cpp: times of day
  bool emit_times();
  bool emit_moments();
  bool fine_times(Minutes& today, Minutes& next);
  void listed_times(Minutes& out) const;
  // Minutes of the window; those past midnight go to `next`.
  static void fill(const Window& window, int step, Minutes& today, Minutes& next);
  // Keeps what lies inside the windows.
  void limit(Minutes& today, Minutes& next) const;
  void remove_excepted(Minutes& today, Minutes& next) const;
  // Without named days, what runs past midnight may be written as times of the same day.
  bool same_day_enough() const;
  bool add_seconds(Minutes today, Minutes next);
  void add_times(const Minutes& minutes, std::uint64_t seconds, ListStyle minute_style, ListStyle hour_style,
                 bool next_day);

  // emit_days.cpp: days
  bool emit_days();
  bool apply_coarse(const Step& step, Days& days, std::uint16_t& months, std::string& month_step,
                    std::string& day_step);
  std::string month_text(std::uint16_t months, const std::string& step) const;
  static std::string weekday_text(std::uint8_t weekdays);
  // Days of the month and dates, less the exceptions, grouped by the months that share them.
  // `but_last`: days not to take, counted from the end of the month (bit 0: its last).
  DayTexts month_days(const Days& days, std::uint16_t months, const std::string& step,
                      std::uint32_t but_last = 0);
  DayTexts specials(const Days& days, const std::string& month, const std::string& rest);
  void add_specials_of_week(const Days& days, const DayText& base);

  // emit_except.cpp: exceptions that move within the month
  bool leave_out_moving(Days& days, std::uint8_t& but_last);
  std::uint32_t february_days(std::uint32_t bits, std::uint32_t but_last, DayTexts& out);

  // emit.cpp: the run, and the crons
  bool cross();
  bool refuse(Span at, std::string message, std::string suggestion = {});
  void warn(std::string text);

  const Plan& plan_;
  const TranslateOptions& options_;
  const std::optional<ZoneTable>& zone_;
  Translation& out_;
  std::array<std::byte, 2048> stack_;  // of the usual few texts; more of them go to the heap
  std::pmr::monotonic_buffer_resource memory_{stack_.data(), stack_.size()};
  std::pmr::vector<TimeText> times_{&memory_};
  DayTexts days_{&memory_};
  bool quarter_ = false;
  bool february_unsaid_ = false;
};

}  // namespace english_cron
