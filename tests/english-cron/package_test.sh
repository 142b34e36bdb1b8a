#!/bin/sh
# Builds english-cron alone, installs it, and builds and runs its example against the installed package.
#   package_test.sh SOURCE_DIR COMPILER
set -eu
source=$1/english-cron
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
launcher=$(command -v ccache || true)
configure() {
  cmake -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
compiler=$2
configure -S "$source" -B "$work/library"
cmake --build "$work/library" -j 2
cmake --install "$work/library" --prefix "$work/prefix"
configure -S "$source/example" -B "$work/example" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/example"

"$work/example/next_runs" "every weekday at 7:15am Europe/Zurich" >"$work/output"
cat "$work/output"
grep -q "^means at 07:15 on weekdays in Europe/Zurich$" "$work/output"
grep -q "^cron  15 7 \* \* 1-5$" "$work/output"
test "$(grep -c '^next  ....-..-..T07:15:00+0[12]:00$' "$work/output")" = 5
if "$work/example/next_runs" "every wek" 2>"$work/output"; then
  echo "a refused phrase must end with a failure"
  exit 1
fi
grep -q 'did you mean "week"' "$work/output"
