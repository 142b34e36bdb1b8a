#include "cron_fields.h"
#include "emit.h"
#include "english_cron/schedule.h"
#include "english_cron/translation.h"
#include "grammar.h"
#include "lexer.h"
#include "raw_cron.h"
#include "vocabulary.h"
#include "zones.h"

#include <algorithm>
#include <optional>

namespace english_cron {
namespace {

// Quartz counts the days of the week from Sunday = 1, and needs a `?`. Nothing else tells its crons apart, so
// numbers that would mean another day there are pointed out.
std::string quartz_warning(std::string_view cron) {
  const std::string_view weekday = cron.substr(cron.find_last_of(' ') + 1);
  const bool number = weekday.find_first_of("1234567") < weekday.find_first_of("#/");
  const bool special =
      weekday.find_first_of("Ll#") != std::string_view::npos &&
      weekday.find_first_of("abcdefghijkmnopqrstuvwxyzABCDEFGHIJKMNOPQRSTUVWXYZ") == std::string_view::npos;
  const bool marked =
      cron.find('?') != std::string_view::npos && weekday.find('0') == std::string_view::npos &&
      weekday.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
  if (!number || weekday.starts_with('0') || (!special && !marked)) return {};
  const int day = (weekday[0] - '0') % 7;
  return std::string(weekday) + ": days of the week are counted from Sunday = 0 here, so " + weekday[0] +
         " is " + std::string(weekday_name(day)) + "; in Quartz it is " + std::string(weekday_name(day + 6)) +
         ": write names, such as " + std::string(weekday_name(day).substr(0, 3)) + ", to be sure";
}

std::expected<Translation, PhraseError> translate_raw(RawCron raw, const TranslateOptions& options) {
  Translation out;
  out.zone_in_phrase = !raw.zone.empty();
  out.zone = out.zone_in_phrase ? raw.zone : canonical_zone(options.zone);
  if (out.zone.empty()) {
    return std::unexpected(
        PhraseError{0, 0, "unknown time zone \"" + options.zone + "\" in the options", ""});
  }
  const auto fields = parse_cron(raw.cron);
  out.crons.push_back(std::move(raw.cron));
  if (!raw.warning.empty()) out.warnings.push_back(std::move(raw.warning));
  if (std::string text = quartz_warning(out.crons.front()); !text.empty())
    out.warnings.push_back(std::move(text));
  if (fields && !can_match(*fields)) out.warnings.emplace_back("no date matches: this never fires");
  if (fields && !fields->any_day && !fields->any_weekday) {
    out.warnings.emplace_back("day of month and day of week must both match (crontab(5) would take either)");
  }
  return out;
}

// "0 9 * * 1; 30 10 2 * *": cron expressions only, joined as schedules are. Nothing when a piece reads as
// English.
std::optional<Translation> translate_joined(std::string_view phrase, const TranslateOptions& options) {
  if (phrase.find(';') == std::string_view::npos) return std::nullopt;
  std::optional<Translation> out;
  for (std::size_t from = 0; from <= phrase.size();) {
    const std::size_t end = std::min(phrase.find(';', from), phrase.size());
    auto raw = read_raw_cron(phrase.substr(from, end - from));
    if (!raw || !*raw || (*raw)->cron.empty()) return std::nullopt;
    auto piece = translate_raw(std::move(**raw), options);
    if (!piece) return std::nullopt;
    if (!out) {
      out = std::move(*piece);
    } else {
      const bool conflict = out->zone_in_phrase && piece->zone_in_phrase && out->zone != piece->zone;
      if (conflict) return std::nullopt;
      if (piece->zone_in_phrase) out->zone = piece->zone, out->zone_in_phrase = true;
      out->crons.push_back(std::move(piece->crons.front()));
      for (std::string& text : piece->warnings) out->warnings.push_back(std::move(text));
    }
    from = end + 1;
  }
  return out;
}

std::expected<Translation, PhraseError> translate_english(std::string_view phrase,
                                                          const TranslateOptions& options) {
  Tokens tokens;
  if (auto lexed = tokenize(phrase, tokens); !lexed) return std::unexpected(std::move(lexed.error()));
  if (tokens.count == 0) return emit(Parsed{}, options);  // punctuation only was refused; this is blank
  auto parsed = Grammar(phrase, tokens).parse();
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  auto out = emit(*parsed, options);
  // What the emitter refuses as a whole, it marks with an empty span.
  if (!out && out.error().length == 0 && out.error().offset == 0) out.error().length = phrase.size();
  return out;
}

// "@every 5m", "TZ=Europe/Paris every day at noon": words behind what only a cron has.
std::expected<Translation, PhraseError> translate_zoned(const RawCron& raw, const TranslateOptions& options) {
  if (raw.zone.empty()) return translate_english(raw.phrase, options);
  auto out = translate_english(raw.phrase, {.zone = raw.zone, .anchor = options.anchor});
  if (!out) return out;
  if (out->zone_in_phrase && out->zone != raw.zone) {
    const std::size_t from = raw.phrase.find_first_not_of(' ');
    return std::unexpected(
        PhraseError{from, raw.phrase.size() - from,
                    "a second time zone: one schedule has one, and " + raw.zone + " stands before it", ""});
  }
  if (out->never()) return translate_english(raw.phrase, options);  // no zone to speak of
  out->zone_in_phrase = true;
  return out;
}

// The words of the schedule; where they are too long to be read again, the phrase says the same in less.
std::expected<Translation, PhraseError> read_back(Translation out, std::string_view phrase) {
  out.english = explain(out);
  if (out.english.size() <= kMaxPhraseLength) return out;
  const bool add_zone = !out.zone_in_phrase && out.zone != "UTC";
  out.english = std::string(phrase) + (add_zone ? " " + out.zone : "");
  if (out.english.size() <= kMaxPhraseLength) return out;
  return std::unexpected(PhraseError{0, phrase.size(),
                                     "this cannot be said back in 256 characters: split it into several "
                                     "schedules, or name the time zone in the phrase",
                                     ""});
}

std::expected<Translation, PhraseError> translate_text(std::string_view phrase,
                                                       const TranslateOptions& options) {
  if (phrase.size() > kMaxPhraseLength) {
    return std::unexpected(PhraseError{kMaxPhraseLength, phrase.size() - kMaxPhraseLength,
                                       "a phrase has at most 256 characters", ""});
  }
  if (auto joined = translate_joined(phrase, options)) {
    return read_back(std::move(*joined), phrase);
  }
  auto raw = read_raw_cron(phrase);
  if (!raw) return std::unexpected(std::move(raw.error()));
  std::expected<Translation, PhraseError> out;
  if (!*raw) {
    out = translate_english(phrase, options);
  } else if (!(*raw)->phrase.empty()) {
    out = translate_zoned(**raw, options);
  } else {
    out = translate_raw(std::move(**raw), options);
  }
  return out ? read_back(std::move(*out), phrase) : std::move(out);
}

// A suggestion that leads to an error at the same place helps nobody.
bool leads_on(std::string_view phrase, const PhraseError& error, const TranslateOptions& options) {
  std::string better(phrase.substr(0, error.offset));
  if (error.length == 0 && !better.empty() && better.back() != ' ') better += ' ';
  better += error.suggestion;
  const std::size_t end = better.size();
  better += phrase.substr(error.offset + error.length);
  const auto out = translate_text(better, options);
  return out || out.error().offset >= end || (error.length == 0 && out.error().offset == 0);
}

}  // namespace

std::string_view to_string(Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return "seconds";
    case Unit::minutes:
      return "minutes";
    case Unit::hours:
      return "hours";
    case Unit::days:
      return "days";
    case Unit::weeks:
      return "weeks";
    case Unit::months:
      return "months";
  }
  return "hours";
}

std::expected<Translation, PhraseError> translate(std::string_view phrase, const TranslateOptions& options) {
  auto out = translate_text(phrase, options);
  if (!out && !out.error().suggestion.empty() && !leads_on(phrase, out.error(), options))
    out.error().suggestion.clear();
  return out;
}

}  // namespace english_cron
