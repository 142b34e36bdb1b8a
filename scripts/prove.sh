#!/usr/bin/env bash
# The long forms of the tests that draw at random: kills of loads, and loads against the plain reference.
# N is the number of kills; fifty times as many property cases are played. Each call draws anew and prints its
# seed; a failure prints the seed that repeats it.
#
#   scripts/prove.sh [N]     default: 200 kills, 10000 property cases; about a quarter of an hour on 2 cores
set -euo pipefail
cd "$(dirname "$0")/.."

kills=${1:-200}
if [[ ! $kills =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
seed=${SLUICE_SEED:-$((RANDOM * 32768 + RANDOM))}

scripts/packages.sh test
cmake --preset release -DSLUICE_TESTS=ON
cmake --build --preset release --target test_load test_acceptance

echo "seed $seed: $((kills * 50)) property cases"
SLUICE_SEED=$seed SLUICE_PROPERTY_CASES=$((kills * 50)) build/release/tests/test_load --gtest_filter='*Property*' --gtest_brief=1
echo "seed $seed: $kills kills"
SLUICE_SEED=$seed SLUICE_KILLS=$kills build/release/tests/acceptance/test_acceptance --gtest_filter='Kills.*' --gtest_brief=1
