#!/usr/bin/env bash
# Builds Sluice and serves the shipped definitions: http://127.0.0.1:8080/jobs. Ctrl-C stops it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
exec build/release/sluice serve definitions --data data "$@"
