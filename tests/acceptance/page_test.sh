#!/usr/bin/env bash
# The page in a real browser, on the real service with the shipped definitions and one that fails.
# page_test.sh SLUICE CHECKOUT
set -euo pipefail
sluice=$1
checkout=$2
work=$(mktemp -d)
service=""
reader=""
finish() {
  # Also when the test failed: whoever waits for our output would wait for the reader's, too.
  if [ -n "$reader" ]; then kill "$reader" 2>/dev/null || true; fi
  if [ -n "$service" ]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
cp -r "$checkout/definitions" "$checkout/sample-data" "$work/"
printf 'name: Broken\nschedule: every hurricane\nsource: {file: ../nothing.json}\nkey: id\n' >"$work/definitions/Broken.loader.yaml"
printf 'name: Absent\nschedule: every day at noon\nsource: {file: ../nothing.json}\nkey: id\n' >"$work/definitions/Absent.loader.yaml"
mkfifo "$work/log"
# Opened for both ends: the service's first lines wait here for the reader below.
exec 3<>"$work/log"
"$sluice" serve "$work/definitions" --data "$work/data" --listen 127.0.0.1:0 2>&3 &
service=$!
url=""
while read -r -t 60 line <&3; do
  echo "$line"
  case $line in *"the page: "*) url=${line##*the page: }; url=${url%/jobs}; break ;; esac
done
[ -n "$url" ] || { echo "the service did not say where its page is" >&2; exit 1; }
cat <&3 >"$work/rest.log" &
reader=$!
cd "$checkout/dashboard"
SLUICE_URL=$url SLUICE_SHOTS=${SLUICE_SHOTS:-$work/shots} SLUICE_BROKEN=Broken.loader.yaml:2 SLUICE_LOADER=CountryLoader \
  node test/page.test.mjs
