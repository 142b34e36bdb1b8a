#!/bin/sh
# Runs an example and looks at what it says.
#   check.sh PROGRAM EXAMPLE
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
says() { grep -q -- "$1" "$work/output" || { cat "$work/output"; echo "expected: $1"; exit 1; }; }
case $2 in
  mailer)
    "$program" "$work/data" ada@example.org nobody >"$work/output"
    says '^Report of 2026 to ada@example.org: succeeded <2026.ada@example.org>$'
    says '^Report of 2026 to nobody: failed: "nobody" is not an address$'
    ;;
  clean_up)
    mkdir "$work/files"
    touch "$work/files/new"
    touch -d '40 days ago' "$work/files/old" "$work/files/older"
    "$program" "$work/data" "$work/files" 30 >"$work/output"
    says '^Nightly clean-up: every day at 3am in Europe/Zurich, next 20'
    says '^removed 2 files$'
    test "$(ls "$work/files")" = new
    "$program" "$work/data" "$work/files" 30 >"$work/output"
    says '^removed 0 files$'
    ;;
  order)
    "$program" "$work/data" ada 3 >"$work/output"
    says '^dear ada, your 3 pieces are on their way$'
    says '^1 jobs$'
    if "$program" "$work/data" ada 0 >"$work/output" 2>&1; then
      echo "an order of nothing must fail"
      exit 1
    fi
    says '^1 jobs$'
    ;;
  dashboard)
    printf 'ada\n' | "$program" "$work/data" >"$work/output"
    says '^http://127.0.0.1:[0-9]*/jobs$'
    says '^greeted ada as job 1$'
    ;;
  batch)
    "$program" "$work/data" one three fourteen >"$work/output"
    says '^3 texts, 16 letters$'
    ;;
esac
