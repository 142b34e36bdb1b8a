// Cron text -> CronFields, after the rules of Cronos (https://github.com/HangfireIO/Cronos).
#include "cron_fields.h"
#include "letters.h"
#include "vocabulary.h"

#include <string>

namespace english_cron {
namespace {

struct Field {
  const char* name;
  int low, high;
  std::string_view names;  // three letters each, from `low` on
};

constexpr Field kSecond{"second", 0, 59, {}};
constexpr Field kMinute{"minute", 0, 59, {}};
constexpr Field kHour{"hour", 0, 23, {}};
constexpr Field kDay{"day of month", 1, 31, {}};
constexpr Field kMonth{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr Field kWeekday{"day of week", 0, 7, "sunmontuewedthufrisat"};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::expected<CronFields, PhraseError> read() {
    const int fields = count_fields();
    if (fields != 5 && fields != 6) {
      return std::unexpected(
          PhraseError{0, text_.size(),
                      "a cron expression has 5 fields, or 6 with seconds first; this has " +
                          std::to_string(fields) + (fields == 7 ? ": years cannot be said" : ""),
                      nearest_by_count(fields)});
    }
    CronFields out;
    bool star = false;
    if (fields == 6) {
      out.has_seconds = true;
      out.seconds = 0;
      if (!read_plain(kSecond, out.seconds, star, out.interval)) return std::unexpected(error_);
    }
    std::uint64_t bits = 0;
    if (!read_plain(kMinute, out.minutes, star, out.interval)) return std::unexpected(error_);
    if (!read_plain(kHour, bits, star, out.interval)) return std::unexpected(error_);
    out.hours = static_cast<std::uint32_t>(bits);
    if (!read_day(out)) return std::unexpected(error_);
    bits = 0;
    bool ignored = false;
    if (!read_plain(kMonth, bits, out.any_month, ignored)) return std::unexpected(error_);
    out.months = static_cast<std::uint16_t>(bits);
    if (!read_weekday(out)) return std::unexpected(error_);
    return out;
  }

 private:
  int count_fields() const {
    int count = 0;
    bool inside = false;
    for (const char c : text_) {
      if (!is_blank(c) && !inside) ++count;
      inside = !is_blank(c);
    }
    return count;
  }

  // Without the year of a 7th field, or with a day of the week after four.
  std::string nearest_by_count(int fields) const {
    std::string nearest(text_);
    if (fields == 4) nearest += " *";
    if (fields == 7) {
      std::size_t end = text_.find_last_not_of(" \t\n\r");
      end = text_.find_last_of(" \t\n\r", end);
      nearest.resize(text_.find_last_not_of(" \t\n\r", end) + 1);
    }
    return (fields == 4 || fields == 7) && Reader(nearest).read() ? nearest : "";
  }

  char peek() const { return pos_ < text_.size() ? lower(text_[pos_]) : '\0'; }
  bool at_end() const { return pos_ >= text_.size() || is_blank(text_[pos_]); }
  bool accept(char c) {
    if (peek() != c) return false;
    ++pos_;
    return true;
  }
  void start_field() {
    while (pos_ < text_.size() && is_blank(text_[pos_])) ++pos_;
    start_ = pos_;
  }
  std::size_t field_end() const {
    std::size_t end = start_;
    while (end < text_.size() && !is_blank(text_[end])) ++end;
    return end;
  }
  bool refuse(const Field& field, const std::string& what, const std::string& suggestion = {}) {
    error_ = {start_, field_end() - start_, std::string(field.name) + ": " + what, suggestion};
    return false;
  }

  // The field with another text in place of what stands from `from` to here.
  std::string replaced(std::size_t from, const std::string& by) const {
    return std::string(text_.substr(start_, from - start_)) + by +
           std::string(text_.substr(pos_, field_end() - pos_));
  }

  static std::string range_of(const Field& field) {
    return std::to_string(field.low) + " to " + std::to_string(field.high);
  }

  bool read_number(const Field& field, const char* what, int& out) {
    if (!is_digit(peek())) return refuse(field, std::string("expected ") + what);
    int value = 0;
    while (is_digit(peek())) {
      value = value * 10 + (peek() - '0');
      if (value > 9999) return refuse(field, "the number is too large");
      ++pos_;
    }
    out = value;
    return true;
  }

  bool read_value(const Field& field, int& out) {
    if (is_letter(peek()) && !field.names.empty()) {
      const std::size_t begin = pos_;
      std::string name;
      while (is_letter(peek()) && name.size() < 3) {
        name += peek();
        ++pos_;
      }
      for (std::size_t i = 0; i + 3 <= field.names.size(); i += 3) {
        if (field.names.substr(i, 3) == name) {
          const bool longer = is_letter(peek()) && !(peek() == 'l' && !is_letter(peek_at(1)));
          if (longer) return refuse(field, "names have three letters: " + name, with_short_names());
          out = field.low + static_cast<int>(i / 3);
          return true;
        }
      }
      while (is_letter(peek())) ++pos_;
      const std::string near = nearest_name(field, name);
      const std::string fixed = near.empty() ? "" : replaced(begin, near);
      return refuse(field,
                    "unknown name: expected " + range_of(field) + " or " +
                        std::string(field.names.substr(0, 3)) + " to " +
                        std::string(field.names.substr(field.names.size() - 3)),
                    fixed);
    }
    const std::size_t begin = pos_;
    if (!read_number(field, field.names.empty() ? "a number" : "a number or a three-letter name", out))
      return false;
    if (out < field.low || out > field.high) {
      // Hour 24 and minute 60 are meant as the 0 that follows.
      const bool wraps = out == field.high + 1 && field.low == 0 && field.names.empty();
      const int near = wraps || out < field.low ? field.low : field.high;
      return refuse(field, std::to_string(out) + " is not within " + range_of(field),
                    replaced(begin, std::to_string(near)));
    }
    return true;
  }
  char peek_at(std::size_t ahead) const {
    return pos_ + ahead < text_.size() ? lower(text_[pos_ + ahead]) : '\0';
  }

  // The field with every name cut to three letters.
  std::string with_short_names() const {
    std::string out;
    std::size_t letters = 0;
    for (const char c : text_.substr(start_, field_end() - start_)) {
      letters = is_letter(c) ? letters + 1 : 0;
      if (letters <= 3) out += c;
    }
    return out;
  }

  static std::string nearest_name(const Field& field, std::string_view name) {
    for (std::size_t i = 0; i + 3 <= field.names.size(); i += 3) {
      const std::string_view known = field.names.substr(i, 3);
      if (edit_distance(known, name, 1) <= 1) return std::string(known);
    }
    return {};
  }

  bool read_step(const Field& field, int& step) {
    const std::size_t begin = pos_;
    const int span = field.high - field.low + (field.names.empty() || field.low == 1 ? 1 : 0);
    if (!read_number(field, "a step after /", step)) return false;
    const int most = field.low == 0 && field.names.empty() ? span - 1 : span;
    if (step < 1 || step > most) {
      return refuse(field,
                    "a step of " + std::to_string(step) + " is not within 1 to " + std::to_string(most),
                    step == most + 1 ? std::to_string(field.low)
                                     : replaced(begin, std::to_string(step < 1 ? 1 : most)));
    }
    return true;
  }

  static void add(const Field& field, int value, std::uint64_t& bits) {
    if (field.high == 7 && value == 7) value = 0;  // both mean Sunday
    bits |= std::uint64_t{1} << value;
  }
  static void add_range(const Field& field, int from, int to, int step, std::uint64_t& bits) {
    const int last = field.high == 7 ? 6 : field.high;
    if (from <= to) {
      for (int v = from; v <= to; v += step) add(field, v, bits);
      return;
    }
    // Wraps past the field's end, the step carrying over: 45-15/2.
    const int size = last - field.low + 1;
    for (int v = from; v <= to + size; v += step) add(field, field.low + (v - field.low) % size, bits);
  }

  // One list item from `first` on, which is already read.
  bool read_rest(const Field& field, int first, std::uint64_t& bits, bool& interval) {
    int to = first;
    int step = 1;
    const bool range = accept('-');
    if (range && !read_value(field, to)) return false;
    const bool stepped = accept('/');
    if (stepped) {
      if (!read_step(field, step)) return false;
      if (!range) to = field.high == 7 ? 6 : field.high;
      if (!range && first == 7 && field.high == 7) first = 0;  // Sunday
    }
    if (to < first || first + step <= to) interval = true;  // more than one value
    add_range(field, first, to, step, bits);
    return true;
  }

  bool read_item(const Field& field, std::uint64_t& bits, bool& star, bool& interval) {
    if (peek() == '*' || peek() == '?') {
      ++pos_;
      interval = true;
      int step = 1;
      if (accept('/')) {
        if (!read_step(field, step)) return false;
      } else {
        star = true;
      }
      add_range(field, field.low, field.high == 7 ? 6 : field.high, step, bits);
      return true;
    }
    int first = 0;
    return read_value(field, first) && read_rest(field, first, bits, interval);
  }

  bool finish(const Field& field) {
    if (at_end()) return true;
    return refuse(field, std::string("unexpected character '") + text_[pos_] + "'");
  }

  bool read_list(const Field& field, std::uint64_t& bits, bool& star, bool& interval) {
    while (accept(',')) {
      if (!read_item(field, bits, star, interval)) return false;
    }
    return finish(field);
  }

  bool read_plain(const Field& field, std::uint64_t& bits, bool& star, bool& interval) {
    start_field();
    bits = 0;
    star = false;
    return read_item(field, bits, star, interval) && read_list(field, bits, star, interval);
  }

  bool read_day(CronFields& out) {
    start_field();
    bool ignored = false;
    std::uint64_t bits = 0;
    out.any_day = false;
    if (accept('l')) {
      int before = 0;
      if (accept('-')) {
        if (!read_number(kDay, "a number of days after L-", before)) return false;
        if (before > 30)
          return refuse(kDay,
                        "L-" + std::to_string(before) + " is before the month begins: expected L-1 to L-30",
                        "L-30");
      }
      (accept('w') ? out.last_nearest : out.days_before_last) |= std::uint32_t{1} << before;
      return finish(kDay);
    }
    if (is_digit(peek())) {
      int first = 0;
      if (!read_value(kDay, first)) return false;
      if (accept('w')) {
        out.nearest |= std::uint32_t{1} << first;
        return finish(kDay);
      }
      if (!read_rest(kDay, first, bits, ignored)) return false;
    } else if (!read_item(kDay, bits, out.any_day, ignored)) {
      return false;
    }
    if (!read_list(kDay, bits, out.any_day, ignored)) return false;
    out.days = static_cast<std::uint32_t>(bits);
    return true;
  }

  bool read_weekday(CronFields& out) {
    start_field();
    bool ignored = false;
    std::uint64_t bits = 0;
    out.any_weekday = false;
    if (is_digit(peek()) || is_letter(peek())) {
      int first = 0;
      if (!read_value(kWeekday, first)) return false;
      const auto bit = static_cast<std::uint8_t>(1U << (first % 7));
      if (accept('#')) {
        int k = 0;
        if (!read_number(kWeekday, "1 to 5 after #", k)) return false;
        if (k < 1 || k > 5)
          return refuse(kWeekday, "#" + std::to_string(k) + " is not within 1 to 5",
                        std::to_string(first) + "#5");
        out.nth[static_cast<std::size_t>(k)] |= bit;
        return finish(kWeekday);
      }
      if (accept('l')) {
        out.last_weekdays |= bit;
        return finish(kWeekday);
      }
      if (!read_rest(kWeekday, first, bits, ignored)) return false;
    } else if (!read_item(kWeekday, bits, out.any_weekday, ignored)) {
      return false;
    }
    if (!read_list(kWeekday, bits, out.any_weekday, ignored)) return false;
    out.weekdays = static_cast<std::uint8_t>(bits);
    return true;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  std::size_t start_ = 0;
  PhraseError error_;
};

}  // namespace

std::expected<CronFields, PhraseError> parse_cron(std::string_view text) {
  if (text.size() > kMaxPhraseLength) {
    return std::unexpected(
        PhraseError{kMaxPhraseLength, text.size() - kMaxPhraseLength, "longer than 256 characters", ""});
  }
  return Reader(text).read();
}

}  // namespace english_cron
