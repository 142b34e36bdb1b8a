#!/usr/bin/env bash
# A PostgreSQL server of its own for tests and benchmarks, on a Unix socket in a temporary folder.
#   scripts/test-postgres.sh start FILE [-c NAME=VALUE …]   starts one and writes its URL to FILE
#   scripts/test-postgres.sh restart FILE [MODE]            stops it (MODE fast or immediate) and starts it again
#   scripts/test-postgres.sh stop FILE                      stops it and removes everything
# Needs Debian's postgresql-15. The server refuses to run as root, so root starts it as user postgres or nobody.
# Nothing is synced to disk unless "-c fsync=on" is given: what it holds is thrown away.
set -euo pipefail

command=${1:?start, restart or stop}
file=${2:?the file that holds the URL}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "test-postgres.sh: no PostgreSQL server here; run scripts/packages.sh test" >&2; exit 3; }

as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u "$(id -un postgres 2>/dev/null || echo nobody)" -- "$@"; else "$@"; fi
}
folder_of() { [ ! -r "$file" ] || sed -n 's|.*host=\(/[^&]*\).*|\1|p' "$file"; }
running() { [ -n "$1" ] && as_user "$bin/pg_ctl" -D "$1/data" status >/dev/null 2>&1; }
start() { (cd / && as_user "$bin/pg_ctl" -D "$1/data" -l "$1/log" -w -t 120 start >/dev/null) || { tail -20 "$1/log" >&2; exit 1; }; }

folder=$(folder_of)
case $command in
  start)
    running "$folder" && exit 0  # left over from tests that were killed
    [ -z "$folder" ] || rm -rf "$folder"
    folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-pg-XXXXXX")
    trap 'rm -rf "$folder"' ERR
    [ "$(id -u)" != 0 ] || chown "$(id -un postgres 2>/dev/null || echo nobody)" "$folder"
    (cd / && as_user "$bin/initdb" -D "$folder/data" -U sluice -A trust -N -E UTF8 --locale=C >"$folder.log" 2>&1) ||
      { cat "$folder.log" >&2; rm -rf "$folder" "$folder.log"; exit 1; }
    rm -f "$folder.log"
    {
      echo "listen_addresses = ''"
      echo "unix_socket_directories = '$folder'"
      echo "max_connections = 200"
      echo "fsync = off"
      echo "full_page_writes = off"
      echo "log_min_messages = error"
      shift 2
      while [ $# -gt 1 ]; do [ "$1" = -c ] && echo "${2%%=*} = '${2#*=}'"; shift 2; done
    } | as_user tee -a "$folder/data/postgresql.conf" >/dev/null
    start "$folder"
    mkdir -p "$(dirname "$file")"
    echo "postgres://sluice@/postgres?host=$folder" >"$file"
    ;;
  restart)
    as_user "$bin/pg_ctl" -D "$folder/data" -m "${3:-fast}" -w -t 60 stop >/dev/null
    start "$folder"
    ;;
  stop)
    [ -n "$folder" ] || exit 0
    running "$folder" && as_user "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null
    rm -rf "$folder" "$file"
    ;;
  *) echo "test-postgres.sh: start, restart or stop" >&2; exit 2 ;;
esac
