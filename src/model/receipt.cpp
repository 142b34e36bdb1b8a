#include "model/receipt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <utility>

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

struct CountName {
  const char* name;
  std::int64_t Receipt::* field;
};
// In the order of `run --json` (DESIGN, section 3).
constexpr std::array<CountName, 14> kCounts = {{
    {"read", &Receipt::read},
    {"inserted", &Receipt::inserted},
    {"updated", &Receipt::updated},
    {"deleted", &Receipt::deleted},
    {"restored", &Receipt::restored},
    {"unchanged", &Receipt::unchanged},
    {"vanished", &Receipt::vanished},
    {"rejected", &Receipt::rejected},
    {"duplicates", &Receipt::duplicates},
    {"ignored", &Receipt::ignored},
    {"bytes", &Receipt::bytes},
    {"requests", &Receipt::requests},
    {"notModified", &Receipt::not_modified},
    {"durationMs", &Receipt::duration_ms},
}};
constexpr std::array<CountName, 3> kFurtherCounts = {{
    {"rowsBefore", &Receipt::rows_before},
    {"rowsAfter", &Receipt::rows_after},
    {"deletedBySource", &Receipt::deleted_by_source},
}};

Json to_object(const GuardVerdict& verdict) {
  return {{"name", verdict.guard},
          {"limit", verdict.limit},
          {"actual", verdict.actual},
          {"verdict", verdict.verdict},
          {"message", verdict.message}};
}

Json to_object(const Error& error) {
  Json object = {{"code", to_string(error.code)},
                 {"retryable", error.retryable},
                 {"where", error.where},
                 {"message", error.message}};
  if (error.retry_after) object["retryAfterMs"] = error.retry_after->count();
  return object;
}

std::unexpected<Error> not_a_receipt(std::string_view why) {
  return fail(ErrorCode::malformed, fmt::format("a stored receipt cannot be read: {}", why));
}

// Reads "2026-01-05T09:30:00.250Z", as format_utc writes it; the fraction has 1 to 6 digits.
std::optional<Timestamp> parse_utc(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return std::nullopt;
  std::array<int, 6> parts{};
  std::size_t part = 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd') {
      if (text[i] != kShape[i]) return std::nullopt;
      ++part;
    } else {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      parts[part] = parts[part] * 10 + (text[i] - '0');
    }
  }
  auto fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  std::int64_t micros = 0;
  if (!fraction.empty()) {
    if (fraction[0] != '.' || fraction.size() < 2 || fraction.size() > 7) return std::nullopt;
    for (std::size_t i = 1; i < 7; ++i) {
      const char digit = i < fraction.size() ? fraction[i] : '0';
      if (digit < '0' || digit > '9') return std::nullopt;
      micros = micros * 10 + (digit - '0');
    }
  }
  const auto day = std::chrono::year(parts[0]) / parts[1] / parts[2];
  if (!day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return std::nullopt;
  return Timestamp(std::chrono::sys_days(day)) + std::chrono::hours(parts[3]) +
         std::chrono::minutes(parts[4]) + std::chrono::seconds(parts[5]) + std::chrono::microseconds(micros);
}

std::optional<ErrorCode> error_code_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
  }
  return std::nullopt;
}

Result<void> read_counts(const Json& object, std::span<const CountName> names, Receipt& receipt) {
  for (const auto& [name, field] : names) {
    const auto found = object.find(name);
    if (found == object.end()) continue;  // written by an older version
    if (!found->is_number_integer()) return not_a_receipt(fmt::format("\"{}\" is not a whole number", name));
    receipt.*field = found->get<std::int64_t>();
  }
  return {};
}

Result<Receipt> from_object(const Json& object) {
  if (!object.is_object()) return not_a_receipt("it is not an object");
  Receipt receipt;
  receipt.loader = object.at("loader").get<std::string>();
  const auto job = object.at("job").get<std::string>();
  const auto [end, error] = std::from_chars(job.data(), job.data() + job.size(), receipt.job);
  if (error != std::errc() || end != job.data() + job.size()) return not_a_receipt("\"job\" is not a number");
  receipt.state = object.at("state").get<std::string>();
  receipt.applied = object.at("applied").get<bool>();
  SLUICE_CHECK(read_counts(object, kCounts, receipt));
  SLUICE_CHECK(read_counts(object, kFurtherCounts, receipt));
  for (const auto& verdict : object.value("guards", Json::array())) {
    receipt.guards.push_back({verdict.at("name").get<std::string>(), verdict.at("limit").get<std::string>(),
                              verdict.at("actual").get<std::string>(),
                              verdict.at("verdict").get<std::string>(),
                              verdict.at("message").get<std::string>()});
  }
  if (const auto found = object.find("error"); found != object.end() && !found->is_null()) {
    const auto code = error_code_from(found->at("code").get<std::string>());
    if (!code) return not_a_receipt("its error code is unknown");
    receipt.error = Error{*code,
                          found->at("retryable").get<bool>(),
                          found->at("where").get<std::string>(),
                          found->at("message").get<std::string>(),
                          {}};
    if (found->contains("retryAfterMs"))
      receipt.error->retry_after = std::chrono::milliseconds(found->at("retryAfterMs").get<std::int64_t>());
  }
  receipt.attempt = object.value("attempt", 1);
  receipt.mode = object.value("mode", "");
  receipt.compare = object.value("compare", "");
  if (const auto found = object.find("startedAt"); found != object.end()) {
    const auto time = parse_utc(found->get<std::string>());
    if (!time) return not_a_receipt("\"startedAt\" is not a UTC time");
    receipt.started_at = *time;
  }
  receipt.schema_changes = object.value("schemaChanges", std::vector<std::string>());
  receipt.notes = object.value("notes", std::vector<std::string>());
  receipt.catalog_hash = object.value("catalogHash", "");
  receipt.undoes = object.value("undoes", std::int64_t{0});
  return receipt;
}

}  // namespace

std::string to_json(const Receipt& receipt) {
  Json object;
  object["loader"] = receipt.loader;
  object["job"] = std::to_string(receipt.job);  // 64-bit ids are strings: JavaScript has 53 bits
  object["state"] = receipt.state;
  object["applied"] = receipt.applied;
  for (const auto& [name, field] : kCounts) object[name] = receipt.*field;
  object["guards"] = Json::array();
  for (const auto& verdict : receipt.guards) object["guards"].push_back(to_object(verdict));
  object["error"] = receipt.error ? to_object(*receipt.error) : Json();
  object["attempt"] = receipt.attempt;
  object["mode"] = receipt.mode;
  object["compare"] = receipt.compare;
  object["startedAt"] = format_utc(receipt.started_at);
  for (const auto& [name, field] : kFurtherCounts) object[name] = receipt.*field;
  object["schemaChanges"] = receipt.schema_changes;
  object["notes"] = receipt.notes;
  object["catalogHash"] = receipt.catalog_hash;
  if (receipt.undoes != 0) object["undoes"] = receipt.undoes;
  // Messages may quote a source's bytes: what is not UTF-8 becomes U+FFFD instead of an exception.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Receipt> receipt_from_json(std::string_view json) {
  try {
    return from_object(Json::parse(json));
  } catch (const Json::exception& problem) {
    return not_a_receipt(problem.what());
  }
}

}  // namespace sluice
