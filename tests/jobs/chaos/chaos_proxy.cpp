// The way to the server of one node of scripts/chaos.sh: prints the URL to use, then makes black holes of the
// connections that listen just now each time it gets SIGUSR1, until SIGTERM.
//   chaos_proxy URL
#include "support/postgres_proxy.h"

#include <signal.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sigset_t orders;
  sigemptyset(&orders);
  for (const int one : {SIGUSR1, SIGTERM, SIGINT}) sigaddset(&orders, one);
  pthread_sigmask(SIG_BLOCK, &orders, nullptr);
  sluice::test::PostgresProxy proxy(argv[1]);
  std::puts(proxy.url().c_str());
  std::fflush(stdout);
  for (int order = 0; sigwait(&orders, &order) == 0 && order == SIGUSR1;)
    std::fprintf(stderr, "%d black holes\n", proxy.swallow_listeners());
  return 0;
}
