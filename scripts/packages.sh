#!/usr/bin/env bash
# Installs the Debian 12 packages that the build needs, and with "test", "check" or "fuzz" those of the tests,
# the format and tidy checks, or the fuzz targets too.
# Asks nothing, works as root or through sudo, and is over at once when all are there.
set -euo pipefail

build="g++ cmake ninja-build pkg-config ccache mold ca-certificates
  libyaml-cpp-dev libcurl4-openssl-dev libsqlite3-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libsimdjson-dev libzip-dev zlib1g-dev libzstd-dev libxxhash-dev libboost1.81-dev libboost-url1.81-dev libcli11-dev libpq-dev
  libhowardhinnant-date-dev tzdata"
test="libgtest-dev libgmock-dev libbenchmark-dev sqlite3 postgresql-15 pgbouncer nginx-light chromium zip zstd"
check="clang-format-19 clang-tidy-19 git"
fuzz="clang-19 libclang-rt-19-dev"

wanted=$build
for set in "$@"; do
  case $set in
    test) wanted="$wanted $test" ;;
    check) wanted="$wanted $check" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    *) echo "packages.sh: unknown set \"$set\"; use test, check or fuzz" >&2; exit 2 ;;
  esac
done
# Debian's own Node 18 and npm 9 do; a newer one that is already there is left alone.
command -v node >/dev/null || wanted="$wanted nodejs"
command -v npm >/dev/null || wanted="$wanted npm"

missing=""
for package in $wanted; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages.sh: run this as root, or install sudo; missing:$missing" >&2; exit 3; }
  root="sudo"
fi
echo "Installing:$missing"
$root apt-get update -qq
# The server packages bring their own services; nothing is to be started by an installation.
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
