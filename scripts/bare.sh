#!/usr/bin/env bash
# Proves the README's promise: a fresh Debian 12 by debootstrap, this checkout copied in, the two commands run inside.
# By hand, as root; takes a while. scripts/bare.sh [DIR] (default: build/bare). Runs no service outside the root.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${1:-build/bare}
mkdir -p "$root"
root=$(cd "$root" && pwd)
mounts=()
# Ends what was started and mounted, and nothing else.
finish() {
  [ -z "${demo:-}" ] || kill "$demo" 2>/dev/null || true
  for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do umount "${mounts[i]}" || true; done
}
trap finish EXIT

command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap
[ -x "$root/bin/sh" ] || debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}"
# The host's way to the package archives: its proxy, its certificates, its name servers.
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -r /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null || true
cp "$HOME/.npmrc" "$root/root/.npmrc" 2>/dev/null || true
for place in proc dev sys; do
  mkdir -p "$root/$place"
  mount --bind "/$place" "$root/$place" && mounts+=("$root/$place")
done
rm -rf "$root/src/sluice"
mkdir -p "$root/src"
git clone -q . "$root/src/sluice"
inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  ${http_proxy:+http_proxy=$http_proxy} ${https_proxy:+https_proxy=$https_proxy} "$@"; }

echo "== demo, first time"
inside sh -c 'cd /src/sluice && scripts/build.sh'
echo "== demo, second time"
time inside sh -c 'cd /src/sluice && scripts/build.sh'
inside sh -c 'cd /src/sluice && exec scripts/demo.sh --listen 127.0.0.1:18080' & demo=$!
for _ in $(seq 60); do
  curl -fs http://127.0.0.1:18080/readyz >/dev/null && break
  sleep 1
done
curl -fs http://127.0.0.1:18080/api/v1/loaders | head -c 300; echo
kill "$demo"; wait "$demo" || true; demo=""
echo "== tests"
inside sh -c 'cd /src/sluice && scripts/test.sh'
