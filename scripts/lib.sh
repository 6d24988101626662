# Sourced by every script here: where things are, saying what happens, locks. No side effects but the cd and the umask.
# shellcheck shell=bash
set -Eeuo pipefail
# 70: an error that has been explained; anything else gets a line that says where it happened
explain() { [ "$1" = 70 ] || printf 'error: %s stopped in line %s (exit status %s)\n' "$0" "$2" "$1" >&2; }
trap 'explain $? $LINENO' ERR
umask 022 # the server runs as another user and must be able to read what we make
unset RUST_BACKTRACE CDPATH
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT"

# One work directory per checkout and user, outside of the checkout: a server that root starts runs as
# the user postgres, who cannot look into /root. PostgreSQL trees, the Python venv and running tests live there.
work_id=$(printf %s "$ROOT" | cksum)
WORK=${PG_VERDICT_WORK:-/var/tmp/pg_verdict-$(id -u)-${work_id%% *}}
VENV=$WORK/venv
# Which build of a major: -asserts is one with PostgreSQL's own assertions (scripts/test-asserts).
FLAVOUR=${PG_VERDICT_FLAVOUR:-}
export WORK VENV

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 70; }

# step WHAT COMMAND…: says what runs, and afterwards how long it took
step() {
  local what=$1 t0=$SECONDS status ended='done'
  shift
  say "$what"
  "$@" # not `"$@" ||`: that would switch off `set -e` in functions
  status=$?
  [ $status = 0 ] || ended=FAILED
  printf '    %s in %d s\n' "$ended" $((SECONDS - t0))
  [ -z "${STEPS:-}" ] || printf '%d %s\n' $((SECONDS - t0)) "$what" >>"$STEPS" # for scripts/test: where the time went
  return $status
}

make_work() {
  mkdir -p "$WORK"
  [ -O "$WORK" ] || die "$WORK belongs to another user; name another directory in PG_VERDICT_WORK"
}

# locked NAME COMMAND…: one at a time in this checkout
locked() {
  local name=$1 fd status
  shift
  make_work
  exec {fd}>"$WORK/.lock-$name"
  flock -n "$fd" || { say "waiting for another run in this checkout ($name)"; flock "$fd"; }
  "$@" {fd}>&-
  status=$? # a caller that asks for it has switched off `set -e`
  exec {fd}>&-
  return $status
}

version() { sed -n '/^\[package\]/,/^\[/s/^version *= *"\(.*\)".*/\1/p' Cargo.toml; }
codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; } # of this Debian
debian_mirror() { # as this machine's apt knows it
  local mirror
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    awk '!/^#/ { for (i = 1; i <= NF; i++) if (!m && $i ~ "^https?://.*/debian/?$") m = $i } END { print m }' || true)
  [ -n "$mirror" ] || die "no Debian mirror in /etc/apt"
  printf '%s\n' "$mirror"
}
majors() { sed -n 's/^pg\([0-9]*\) *=.*/\1/p' pgrx.toml; }
pg_config_of() { printf '%s/%s\n' "$WORK" "$(sed -n "s/^pg$1 *= *\"\(.*\)\".*/\1/p" pgrx.toml | sed "s,^pg/$1/,pg/$1$FLAVOUR/,")"; }

# pure_crates: names of the crates that know nothing of PostgreSQL
pure_crates() {
  grep -L '^pgrx' crates/*/Cargo.toml fuzz/Cargo.toml |
    xargs sed -sn '0,/^name/s/^name *= *"\(.*\)".*/\1/p' # the first name, not those of its programs
}

# need_rust: one line when there is none, or an old one, for which cargo itself may only say that it can't read Cargo.toml
need_rust() {
  local want have
  want=$(sed -n 's/^rust-version *= *"\(.*\)".*/\1/p' Cargo.toml)
  command -v cargo >/dev/null && command -v rustc >/dev/null || die "cargo is missing; install Rust $want or newer (rustup)"
  have=$(rustc --version) || die "rustc does not run; install Rust $want or newer (rustup)"
  have=${have#rustc } have=${have%%[!0-9.]*}
  printf '%s\n' "$want" "$have" | sort -VC || die "$(command -v rustc) is Rust $have; install Rust $want or newer (rustup)"
}

# find_server PG_CONFIG VERB: sets pg_config, server and major of a server that somebody else's PG_CONFIG belongs to
find_server() {
  pg_config=$(command -v "$1") || die "no such program: $1. Say which server: make $2 PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config"
  server=$("$pg_config" --version)
  major=$(sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p' <<<"$server")
  majors | grep -qx "${major:-none}" || die "$server is not supported; pg_verdict runs on PostgreSQL $(majors | tr '\n' ' ')"
  [ -f "$("$pg_config" --includedir-server)/postgres.h" ] || die "the server headers of $server are missing; install postgresql-server-dev-$major"
}

# need_build_tools: what a build needs besides the server's headers
need_build_tools() {
  need_rust
  command -v cc >/dev/null || die "a C compiler is missing; install gcc and libc6-dev"
  has_libclang >/dev/null || die "libclang is missing; install libclang-dev, or name its directory in LIBCLANG_PATH"
}
has_libclang() { # for bindgen; where its clang-sys looks. Debian's postgresql-server-dev packages bring it
  local dir
  [ -z "${LIBCLANG_PATH:-}${LLVM_CONFIG_PATH:-}" ] && ! command -v llvm-config || return 0
  for dir in /usr{,/local}/lib{,64}{,/*-linux-*,/llvm*/lib}; do
    compgen -G "$dir/libclang.so*" || compgen -G "$dir/libclang-[0-9]*.so*" && return
  done
  return 1
}

# chosen_majors 16 | all: the argument checked against pgrx.toml
chosen_majors() {
  [ "$1" = all ] && { majors; return; }
  majors | grep -qx -- "$1" || die "PG=$1 is not supported; choose one of $(majors | tr '\n' ' ')or all"
  printf '%s\n' "$1"
}

# --- runs: everything that installs and starts servers does so in a directory of its own, gone at the end ---

# open_run: sets RUN, and clears away what a killed run has left
open_run() {
  local old
  make_work
  mkdir -p "$WORK/run"
  for old in "$WORK"/run/*/; do
    [ ! -d "$old" ] || (flock -n 9 && close_run "$old") 9>"$old/.alive" || true
  done
  RUN=$(mktemp -d "$WORK/run/XXXXXX")
  chmod 755 "$RUN"
  exec 8>"$RUN/.alive"
  flock 8
  trap 'close_run "$RUN"' EXIT
  trap 'exit 130' INT # after the command that runs has ended (pytest ends its servers)
  trap 'exit 143' TERM
}

# close_run DIR: ends the servers that still run on data directories in DIR (by pid, none when all went well), removes DIR
close_run() {
  local file pid
  [ -d "$1" ] || return 0
  while read -r file; do
    pid=$(head -n 1 "$file" 2>/dev/null) || continue
    [ "$(readlink "/proc/$pid/cwd")" = "${file%/postmaster.pid}" ] && kill -QUIT "$pid" || continue
    timeout 20 tail --pid="$pid" -f /dev/null || true
  done < <(find "$1" -name postmaster.pid)
  rm -rf "$1"
}

# install_copy MAJOR KIND LIBRARY: a hard-linked copy of the tree of MAJOR at $RUN/MAJOR-KIND with the extension installed.
# Nobody else's run sees it, and no server of another run can lose its library under its feet.
install_copy() {
  local copy=$RUN/$1-$2
  cp -al "$WORK/pg/$1$FLAVOUR" "$copy" || return
  scripts/put "$("$copy/bin/pg_config" --pkglibdir)" "$("$copy/bin/pg_config" --sharedir)/extension" "$3"
}
