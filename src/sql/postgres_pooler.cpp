// Connection poolers. Prepared statements, settings and LISTEN belong to a session of the server; a pooler
// that gives each transaction another session (PgBouncer's pool_mode = transaction or statement) would lose
// them, and would leave our settings to other programs. Such a pooler is found out before anything is set.
#include "sql/postgres_session.h"

#include <charconv>

namespace sluice::sql {
namespace {

// A pooler that lends sessions for good may have none left for the second question.
constexpr std::chrono::milliseconds kPatience{3'000};

}  // namespace

Result<int> PostgresSession::ask_server_process() {
  SLUICE_TRY(const auto answer, run("select pg_backend_pid()"));
  const std::string_view text = PQntuples(answer.get()) == 1 ? PQgetvalue(answer.get(), 0, 0) : "";
  int process = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), process);
  if (read.ec != std::errc())
    return fail(ErrorCode::malformed, "the server does not name its process", where_);
  return process;
}

// A pooler greets with a process number of its own. Then a second connection takes a session from it for a
// transaction: where it is the first one's, or the first one has to be given another, sessions go round.
Result<void> PostgresSession::check_pooling(const Secret& url, const PostgresOptions& options) {
  SLUICE_TRY(const int first, ask_server_process());
  if (first == server_process()) return {};
  PostgresOptions patient = options;
  patient.answer_timeout = kPatience;
  const auto other = open(url, patient);
  if (!other) return {};
  const auto begun = (*other)->run("begin");
  if (begun) {
    const auto second = (*other)->ask_server_process();
    if (!second) return {};
    SLUICE_TRY(const int again, ask_server_process());
    if (*second != first && again == first) return {};
  } else if (begun.error().message.find("statement pooling") == std::string::npos) {
    return {};  // it has no session left to lend, or none just now; PgBouncer by statement refuses, and hangs
                // up
  }
  return fail(
      ErrorCode::unsupported,
      "a connection pooler stands before the server and gives each transaction another session; let it work "
      "by session (PgBouncer: pool_mode = session), or name the server itself",
      where_);
}

}  // namespace sluice::sql
