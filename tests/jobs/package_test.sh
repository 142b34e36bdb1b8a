#!/bin/sh
# Installs the job engine from a build tree, and builds and runs the examples against what was installed.
#   package_test.sh SOURCE_DIR BUILD_DIR COMPILER
set -eu
source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
quietly cmake --install "$build" --component library --prefix "$work/prefix"
quietly cmake --install "$build" --component dashboard --prefix "$work/prefix"
cp -r "$source/examples" "$work/examples"
quietly cmake -S "$work/examples" -B "$work/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
  -DCMAKE_CXX_COMPILER="$3" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" -DCMAKE_PREFIX_PATH="$work/prefix"
quietly cmake --build "$work/build" -j 2
quietly ctest --test-dir "$work/build" --output-on-failure
test -x "$work/build/dashboard"
# Nothing of the checkout is needed, and headers name each other by where they are installed.
if grep -rn "$source" "$work/prefix/include" "$work/prefix/lib/cmake" "$work/prefix"/lib/*/cmake 2>/dev/null; then exit 1; fi
if grep -rnE '#include "(api|base|jobs|model|sql)/' "$work/prefix/include"; then exit 1; fi
