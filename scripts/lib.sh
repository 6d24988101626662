# Sourced by every script here: where things are, saying what happens, locks. No side effects but the cd and the umask.
# shellcheck shell=bash
set -Eeuo pipefail
trap 'printf "error: %s stopped in line %s (exit status %s)\n" "$0" "$LINENO" "$?" >&2' ERR
umask 022 # the server runs as another user and must be able to read what we make
unset RUST_BACKTRACE CDPATH
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT"

# One work directory per checkout and user, outside of the checkout: a server that root starts runs as
# the user postgres, who cannot look into /root. PostgreSQL trees, the Python venv and running tests live there.
work_id=$(printf %s "$ROOT" | cksum)
WORK=${PG_VERDICT_WORK:-/var/tmp/pg_verdict-$(id -u)-${work_id%% *}}
VENV=$WORK/venv
export WORK

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# step WHAT COMMAND…: says what runs, and afterwards how long it took
step() {
  local what=$1 t0=$SECONDS
  shift
  say "$what"
  "$@"
  printf '    done in %d s\n' $((SECONDS - t0)) >&2
}

make_work() {
  mkdir -p "$WORK"
  [ -O "$WORK" ] || die "$WORK belongs to another user; name another directory in PG_VERDICT_WORK"
}

# locked NAME COMMAND…: one at a time in this checkout
locked() {
  local name=$1 fd
  shift
  make_work
  exec {fd}>"$WORK/.lock-$name"
  flock -n "$fd" || { say "waiting for another run in this checkout ($name)"; flock "$fd"; }
  "$@" {fd}>&-
  exec {fd}>&-
}

version() { sed -n '/^\[package\]/,/^\[/s/^version *= *"\(.*\)".*/\1/p' Cargo.toml; }
majors() { sed -n 's/^pg\([0-9]*\) *=.*/\1/p' pgrx.toml; }
pg_config_of() { printf '%s/%s\n' "$WORK" "$(sed -n "s/^pg$1 *= *\"\(.*\)\".*/\1/p" pgrx.toml)"; }

# chosen_majors 16 | all: the argument checked against pgrx.toml
chosen_majors() {
  [ "$1" = all ] && { majors; return; }
  majors | grep -qx -- "$1" || die "PG=$1 is not supported; choose one of $(majors | tr '\n' ' ')or all"
  printf '%s\n' "$1"
}
