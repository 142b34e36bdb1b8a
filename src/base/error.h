// Errors are values: every function that can fail returns Result<T>. Library exceptions stop at the file
// that wraps the library; nothing is thrown across folders.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

// What kind of thing went wrong; it decides exit codes and what the page says. `retryable` in Error
// decides alone whether a retry policy may try again.
enum class ErrorCode {
  invalid_argument,    // the user's command line or API request
  invalid_definition,  // the user's YAML
  not_found,           // a file, table, loader or job that is not there
  already_exists,
  unreachable,   // host, socket or database cannot be reached
  timeout,       // connect, idle or total time-out
  unauthorized,  // credentials missing or refused
  forbidden,     // refused by our own policy (path, address, command)
  rate_limited,  // 429 and friends
  truncated,     // fewer bytes than promised, or a document that stops in the middle
  malformed,     // bytes that are not what they claim to be
  too_large,     // size, ratio or depth cap
  conflict,      // someone else committed first
  locked,        // database or file is held by another
  cancelled,     // stop requested
  guard,         // a guard was breached
  io,            // disk and file system
  unsupported,   // understood, but not available
  internal,      // a broken invariant of ours
};

std::string_view to_string(ErrorCode code);

// The exit code of a command that ends with this error (DESIGN, section 3): 1 run failed, 2 invalid
// definition or arguments, 3 environment, 4 guard.
int exit_code_for(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  bool retryable = false;
  std::string where;    // what was being done, outermost first: "loader Country: fetch https://…"
  std::string message;  // what went wrong and what to do; never holds a secret
  std::optional<std::chrono::milliseconds> retry_after;  // the other side's own wish, if it gave one

  // "where: message", or the message alone.
  std::string describe() const;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string where = {}) {
  return std::unexpected(Error{code, false, std::move(where), std::move(message), {}});
}
inline std::unexpected<Error> fail_transient(ErrorCode code, std::string message, std::string where = {}) {
  return std::unexpected(Error{code, true, std::move(where), std::move(message), {}});
}
// Adds context on the way up: "outer: inner".
inline std::unexpected<Error> fail_within(std::string_view context, Error error) {
  error.where = error.where.empty() ? std::string(context) : std::string(context) + ": " + error.where;
  return std::unexpected(std::move(error));
}

}  // namespace sluice

#define SLUICE_CONCAT_(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_(a, b)
#define SLUICE_TRY_(name, declaration, expression)            \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = std::move(*name)
// SLUICE_TRY(auto rows, reader.next()); returns the error, or declares `rows`.
#define SLUICE_TRY(declaration, expression) \
  SLUICE_TRY_(SLUICE_CONCAT(sluice_try_, __COUNTER__), declaration, expression)
#define SLUICE_CHECK_(name, expression) \
  if (auto name = (expression); !name) return std::unexpected(std::move(name).error())
// SLUICE_CHECK(file.sync()); returns the error of a Result<void>.
#define SLUICE_CHECK(expression) SLUICE_CHECK_(SLUICE_CONCAT(sluice_check_, __COUNTER__), expression)
