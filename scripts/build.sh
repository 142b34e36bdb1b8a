#!/usr/bin/env bash
# Installs what the build needs and builds build/release/sluice. Run it again after a change: seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh
cmake --preset release -DSLUICE_TESTS=OFF -DSLUICE_BENCH=OFF >build-configure.log 2>&1 || { cat build-configure.log; rm -f build-configure.log; exit 1; }
rm -f build-configure.log
cmake --build --preset release --target sluice
echo "Built build/release/sluice"
