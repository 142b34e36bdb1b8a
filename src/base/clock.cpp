#include "base/clock.h"

#include <fmt/format.h>

namespace sluice {

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady() const { return std::chrono::steady_clock::now(); }

bool SystemClock::sleep_for(std::chrono::milliseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Timestamp ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

std::chrono::steady_clock::time_point ManualClock::steady() const {
  std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::time_point(now_.time_since_epoch());
}

bool ManualClock::sleep_for(std::chrono::milliseconds duration, std::stop_token stop) {
  if (stop.stop_requested()) return false;
  std::lock_guard lock(mutex_);
  now_ += duration;
  slept_ += duration;
  return true;
}

void ManualClock::advance(std::chrono::microseconds by) {
  std::lock_guard lock(mutex_);
  now_ += by;
}

void ManualClock::set(Timestamp to) {
  std::lock_guard lock(mutex_);
  now_ = to;
}

std::chrono::milliseconds ManualClock::slept() const {
  std::lock_guard lock(mutex_);
  return slept_;
}

std::string format_utc(Timestamp time) {
  // In whole numbers: the day of the earliest time there is begins before it, where no Timestamp reaches.
  using std::chrono::microseconds;
  constexpr std::int64_t kDay = microseconds(std::chrono::days(1)).count();
  const std::int64_t count = microseconds(time.time_since_epoch()).count();
  const std::int64_t rest = (count % kDay + kDay) % kDay;
  const std::chrono::days days(count / kDay - (count % kDay < 0 ? 1 : 0));
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::chrono::hh_mm_ss clock{microseconds(rest)};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()),
                                 unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                                 clock.minutes().count(), clock.seconds().count());
  if (const auto micros = clock.subseconds().count(); micros != 0) {
    std::string fraction = fmt::format("{:06}", micros);
    while (fraction.back() == '0') fraction.pop_back();
    text += '.' + fraction;
  }
  return text + 'Z';
}

}  // namespace sluice
