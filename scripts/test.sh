#!/usr/bin/env bash
# Installs what the tests need, builds everything in release and runs every test.
# Arguments go to ctest: scripts/test.sh -R Differ
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh test
cmake --preset release -DSLUICE_TESTS=ON -DSLUICE_BENCH=ON
cmake --build --preset release
ctest --preset release "$@"
