#!/usr/bin/env bash
# Fails when a C++ file is not formatted as .clang-format says. "--fix" formats instead.
set -euo pipefail
cd "$(dirname "$0")/.."
mode="--dry-run --Werror"
[ "${1:-}" = "--fix" ] && mode="-i"
# shellcheck disable=SC2086
git ls-files '*.cpp' '*.h' | xargs -r -P "$(nproc)" -n 20 clang-format-19 $mode
