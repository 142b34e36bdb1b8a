#!/usr/bin/env bash
# Runs clang-tidy over the sources changed since a commit: the one given, else where this branch left origin/main,
# else the last commit's parent. Needs build/release configured. scripts/check-tidy.sh --all checks every file.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-}
if [ -z "$base" ]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  # On the main branch itself the merge base is HEAD: look at its last commit then.
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse -q --verify HEAD~1 || true)
  fi
fi
if [ "$base" = "--all" ]; then
  files=$(git ls-files 'src/*.cpp' 'english-cron/*.cpp')
elif [ -z "$base" ]; then
  echo "no earlier commit to compare with: nothing is known to have changed (--all checks every file)"
  exit 0
else
  files=$(git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'english-cron/*.cpp')
fi
[ -n "$files" ] || { echo "no sources changed"; exit 0; }
echo "$files" | wc -l | xargs printf 'clang-tidy: %s files\n'
echo "$files" | xargs -P "$(nproc)" -n 2 clang-tidy-19 -p build/release --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations 2>&1 |
  { grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' || true; } | tee build/tidy.log
! grep -qE ': (error|warning):' build/tidy.log
