#include "sql/postgres_error.h"

#include "base/text.h"

#include <fmt/format.h>

#include <string>

namespace sluice::sql {
namespace {

// libpq's messages end with a line break, and may have several lines.
std::string one_line(std::string_view text) { return printable(trim(text), 500); }

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Meaning {
  std::string_view state;  // an SQLSTATE, or the beginning of several; the longest match counts
  ErrorCode code;
  bool retryable;
  std::string_view advice;  // follows the server's message
};

constexpr Meaning kMeanings[] = {
    {"08", ErrorCode::unreachable, true, ""},
    {"22", ErrorCode::malformed, false, ""},
    {"23", ErrorCode::conflict, false, ""},
    {"25006", ErrorCode::io, true, "the server is read-only (a standby?); use the primary"},
    {"25P03", ErrorCode::unreachable, true, ""},
    // Its session is no longer the one it was prepared in.
    {"26000", ErrorCode::unreachable, true, "a connection pooler has to work by session"},
    {"28", ErrorCode::unauthorized, false, "check user and password"},
    {"3D000", ErrorCode::not_found, false, "create it, or name another one"},
    {"40", ErrorCode::locked, true, "another transaction was in the way; try again"},
    {"42501", ErrorCode::forbidden, false, "grant it to the user that sluice connects as"},
    {"53100", ErrorCode::io, true, "free some space on the server, then run again"},
    {"53300", ErrorCode::unreachable, true, "raise max_connections, or close other clients"},
    {"53", ErrorCode::io, true, ""},
    {"54", ErrorCode::too_large, false, ""},
    {"55P03", ErrorCode::locked, true, "another transaction holds it; run again when it is done"},
    {"57014", ErrorCode::timeout, true, ""},  // the caller knows whether it was a stop
    {"57", ErrorCode::unreachable, true, ""},
    {"58", ErrorCode::io, true, ""},
    {"XX001", ErrorCode::malformed, false, "data on the server is damaged; restore a backup"},
    {"XX002", ErrorCode::malformed, false, "an index on the server is damaged; reindex it"},
};

const Meaning* meaning_of(std::string_view state) {
  const Meaning* best = nullptr;
  for (const Meaning& one : kMeanings) {
    if (state.starts_with(one.state) && (best == nullptr || one.state.size() > best->state.size()))
      best = &one;
  }
  return best;
}

}  // namespace

Error postgres_error(const PGresult* result, std::string_view what, std::string_view where) {
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string_view(text == nullptr ? "" : text);
  };
  const std::string_view state = field(PG_DIAG_SQLSTATE);
  std::string message = one_line(field(PG_DIAG_MESSAGE_PRIMARY));
  if (message.empty()) message = one_line(PQresultErrorMessage(result));
  if (const auto detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += ": " + one_line(detail);
  Error error;
  error.where = where;
  if (const Meaning* const meaning = meaning_of(state)) {
    error.code = meaning->code;
    error.retryable = meaning->retryable;
    error.message = std::move(message);
    if (!meaning->advice.empty()) error.message += fmt::format("; {}", meaning->advice);
    return error;
  }
  error.code = ErrorCode::internal;
  error.message = fmt::format("{} (PostgreSQL code {}) in: {}", message, state, printable(what, 300));
  return error;
}

Error connect_error(std::string_view message, std::string_view where) {
  Error error{ErrorCode::unreachable, true, std::string(where), {}, {}};
  const std::string text = one_line(message);
  // There is no code for what fails before the session stands, only words.
  if (has(text, "password authentication failed") || has(text, "no password supplied") ||
      has(text, "pg_hba.conf") || has(text, "authentication failed") || has(text, "role \"")) {
    error.code = ErrorCode::unauthorized;
    error.retryable = false;
    error.message = fmt::format("the server refuses the user: {}; check user and password in the URL", text);
  } else if (has(text, "database \"") && has(text, "does not exist")) {
    error.code = ErrorCode::not_found;
    error.retryable = false;
    error.message = fmt::format("{}; create it (createdb), or name another one", text);
  } else {
    error.message =
        fmt::format("the server cannot be reached: {}; check that it runs, and host and port", text);
  }
  return error;
}

Error lost_error(std::string_view message, std::string_view where) {
  const std::string text = one_line(message);
  return {ErrorCode::unreachable,
          true,
          std::string(where),
          text.empty() ? std::string("connection lost") : fmt::format("connection lost: {}", text),
          {}};
}

}  // namespace sluice::sql
