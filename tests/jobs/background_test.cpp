// Background services: begun and stopped with the engine, started again after errors with growing pauses.
#include "jobs/background.h"

#include "jobs/engine_fixture.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;

class BackgroundTest : public EngineTest {};

TEST_F(BackgroundTest, runs_until_the_engine_stops) {
  Gate began, ended;
  const auto engine = make();
  engine->add_service("listener", [&](std::stop_token stop) -> Result<void> {
    began.open();
    Gate never;
    never.wait(stop);
    ended.open();
    return fail(ErrorCode::cancelled, "stopped");
  });
  EXPECT_EQ(engine->services().at(0).state, ServiceState::waiting_for_start);
  start(*engine);
  began.wait();
  EXPECT_EQ(engine->services().at(0).state, ServiceState::running);
  EXPECT_EQ(engine->services().at(0).name, "listener");
  engine->stop();
  ended.wait();
  EXPECT_EQ(engine->services().at(0).state, ServiceState::ended);
  EXPECT_EQ(engine->services().at(0).error, "");
}

TEST_F(BackgroundTest, errors_and_exceptions_start_it_again_after_doubled_pauses) {
  Gate fifth;
  int runs = 0;
  const auto engine = make();
  engine->add_service("flaky",
                      [&](std::stop_token) -> Result<void> {
                        ++runs;
                        if (runs == 5) return {};
                        if (runs == 2) throw std::runtime_error("boom");
                        return fail(ErrorCode::unreachable, "down");
                      },
                      {.first = milliseconds(100), .longest = milliseconds(300)});
  const auto subscription = engine->subscribe([&](const Change& change) {
    if (std::holds_alternative<NodesChanged>(change) && engine->services().at(0).state == ServiceState::ended)
      fifth.open();
  });
  start(*engine);
  fifth.wait();
  EXPECT_EQ(runs, 5);
  const auto status = engine->services().at(0);
  EXPECT_EQ(status.restarts, 4);
  EXPECT_EQ(status.error, "down");
  EXPECT_EQ(clock_.slept(), milliseconds(100 + 200 + 300 + 300));
}

TEST_F(BackgroundTest, several_stop_together) {
  const auto engine = make();
  Gate first, second;
  const auto waiting = [](Gate& began) {
    return [&began](std::stop_token stop) -> Result<void> {
      began.open();
      Gate never;
      never.wait(stop);
      return {};
    };
  };
  engine->add_service("a", waiting(first));
  engine->add_service("b", waiting(second));
  start(*engine);
  first.wait();
  second.wait();
  engine->stop();
  engine->stop();
  for (const auto& status : engine->services()) EXPECT_EQ(status.state, ServiceState::ended);
}

}  // namespace
}  // namespace sluice::jobs
