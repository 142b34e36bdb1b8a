// What a measurement costs in time of processors: this process's and the server's. Where others use the
// machine too, it says more than the clock.
#pragma once

#include <chrono>

namespace sluice::bench {

// Of this process and, where the environment's SERVER_PID names a PostgreSQL server on this machine, of that
// one and its children.
std::chrono::duration<double> cpu_time();

}  // namespace sluice::bench
