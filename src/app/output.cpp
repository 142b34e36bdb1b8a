#include "app/output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sluice::app {
namespace {

void write_to(std::FILE* stream, std::string_view text) {
  // A failure leaves the stream's error flag set, which finish_output reads.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stream));
}

bool reader_went_away() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

void write_out(std::string_view text) { write_to(stdout, text); }
void write_err(std::string_view text) { write_to(stderr, text); }

void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Opened files take the lowest free number, so a closed stream is filled in order. Kept for good.
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

int finish_output(int exit_code) {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written || reader_went_away() || exit_code != 0) return exit_code;
  write_err("sluice: error: standard output could not be written; the answer above is not whole\n");
  return 3;
}

}  // namespace sluice::app
