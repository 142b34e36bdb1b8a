#include "app/stop_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

namespace sluice::app {

StopSignals::StopSignals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  // A reader of our output or a TLS peer that goes away is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = FileHandle(::signalfd(-1, &wanted, SFD_CLOEXEC));
  wake_ = FileHandle(::eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] {
    for (;;) {
      pollfd watched[2] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                           {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
      if (::poll(watched, 2, -1) < 0) continue;  // interrupted by another signal
      if (watched[1].revents != 0) return;
      signalfd_siginfo info{};
      if (::read(signals_.get(), &info, sizeof info) != sizeof info) continue;
      // A second signal ends the process at once: the user insists.
      if (source_.stop_requested()) ::_exit(130);
      source_.request_stop();
    }
  });
}

StopSignals::~StopSignals() {
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) == sizeof one) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void StopSignals::wait() const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, source_.get_token(), [] { return false; });
}

}  // namespace sluice::app
