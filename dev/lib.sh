# What the scripts in dev/ share: messages, root rights, PostgreSQL's location, a scratch directory,
# builds in copies of the tree, and throw-away clusters. To be sourced.
# shellcheck shell=bash

IDGEN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly IDGEN_ROOT IDGEN_PORT=54329 LEAST_POSTGRES=15

SCRATCH=     # this run's directory below /tmp, see make_scratch
KEEP_LOGS=   # if set, the logs in it outlive the run
JOB=         # process group of the command that run_job waits for
WATCH=       # the process that says how far it is, if there is one

# The caller's server and make settings must not influence what runs here.
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL
for name in "${!PG@}"; do
  [ "$name" = PG_CONFIG ] || unset "$name"
done

# --- messages --------------------------------------------------------------------------

GREEN='' RED='' BOLD='' PLAIN=''
if [ -t 1 ]; then GREEN=$'\e[32m' RED=$'\e[31m' BOLD=$'\e[1m' PLAIN=$'\e[0m'; fi

say() { printf '%s\n' "$*"; }
title() { printf '\n%s\n\n' "${BOLD}$*${PLAIN}"; }
ok() { printf '%s\n' "${GREEN}ok${PLAIN}    $*"; }
fail() { printf '%s\n' "${RED}FAIL${PLAIN}  $*"; }
die() {
  printf '%s\n' "${RED}error:${PLAIN} $*" >&2
  exit 1
}

# Prints the head of the running script, without the first line.
help() { sed -n -E '2,/^[^#]/{s/^# ?//p}' "$IDGEN_ROOT/dev/$(basename "$0")"; }

# --- root, and the user that servers and tests run as -------------------------------------

is_root() { [ "$(id -u)" = 0 ]; }

as_root() {
  if is_root; then "$@"; else sudo "$@"; fi
}

can_be_root() { is_root || command -v sudo >/dev/null; }

# PostgreSQL refuses to run as root. The user is then postgres, otherwise the caller.
server_user() {
  if ! is_root; then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

# Runs a command as that user, with PostgreSQL's programs in PATH.
as_user() {
  local -a change=()
  if is_root; then
    change=(setpriv --reuid="$(server_user)" --regid="$(id -g "$(server_user)")" --init-groups --)
  fi
  "${change[@]}" env HOME="$SCRATCH" PATH="$PG_BINDIR:$PATH" "$@"
}

# --- PostgreSQL ---------------------------------------------------------------------------

# Prints the newest server of the distribution's packages on this machine; nothing if there is none.
installed_postgres() {
  local program newest=
  for program in /usr/lib/postgresql/*/bin/postgres; do
    [ -x "$program" ] || continue
    program=${program#/usr/lib/postgresql/}
    newest=$(printf '%s\n' "$newest" "${program%%/*}" | sort -n | tail -n 1)
  done
  echo "$newest"
}

# Sets PG_CONFIG, PG_BINDIR and MAJOR (the version): the caller's PG_CONFIG, or the distribution's PostgreSQL.
find_postgres() {
  local given=${PG_CONFIG:-} version
  PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$(installed_postgres)/bin/pg_config}
  if [ "$given" ] && [ -d "$given" ]; then
    die "PG_CONFIG=$given is a directory; it must name the program pg_config"
  elif [[ $given == */* ]] && [ -e "$given" ] && [ ! -x "$given" ]; then
    die "PG_CONFIG=$given is not executable"
  fi
  PG_CONFIG=$(command -v "$PG_CONFIG") ||
    die "${given:+PG_CONFIG=}${given:-pg_config} not found; install PostgreSQL, or name its pg_config in PG_CONFIG"
  case $PG_CONFIG in /*) ;; *) PG_CONFIG=$PWD/$PG_CONFIG ;; esac
  version=$("$PG_CONFIG" --version 2>&1) || version="an error: $version"
  [[ $version =~ ^PostgreSQL\ ([0-9]+) ]] || die "$PG_CONFIG is no pg_config; asked for its version it says: ${version:-nothing}"
  MAJOR=${BASH_REMATCH[1]}
  [ "$MAJOR" -ge "$LEAST_POSTGRES" ] ||
    die "idgen needs PostgreSQL $LEAST_POSTGRES or later, and $PG_CONFIG belongs to $MAJOR"
  PG_BINDIR=$("$PG_CONFIG" --bindir)
  if [ ! -x "$PG_BINDIR/initdb" ] || [ ! -x "$PG_BINDIR/postgres" ]; then
    die "PostgreSQL $MAJOR has no server in $PG_BINDIR, where $PG_CONFIG looks" \
      "(on Debian: package postgresql-$MAJOR)"
  fi
  [ -e "$("$PG_CONFIG" --pgxs)" ] ||
    die "the server development files (PGXS) of PostgreSQL $MAJOR are not installed" \
      "(on Debian: package postgresql-server-dev-$MAJOR)"
  export PG_CONFIG
}

# --- the scratch directory, and leaving nothing behind -------------------------------------

# /tmp and not TMPDIR: a socket's path has to be short, and the server's user must have access.
make_scratch() {
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  SCRATCH=$(mktemp -d /tmp/idgen.XXXXXX)
  mkdir "$SCRATCH/log"
  if is_root; then chown -R "$(server_user):" "$SCRATCH"; fi
  cd "$SCRATCH" || exit
  export PGHOST=$SCRATCH PGPORT=$IDGEN_PORT PGUSER=postgres PGDATABASE=postgres
}

clean_up() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  set +e
  if [ "$WATCH" ]; then kill "$WATCH" 2>/dev/null; fi
  end_job
  stop_all_servers
  cd /
  if [ "$KEEP_LOGS" ]; then
    find "$SCRATCH" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf {} +
  else
    rm -rf "$SCRATCH"
  fi
  exit "$status"
}

# Stops every server below the scratch directory, even one that a test left behind.
stop_all_servers() {
  local pid_file
  while read -r pid_file; do
    as_user pg_ctl stop -s -m immediate -D "$(dirname "$pid_file")" >/dev/null 2>&1
  done < <(find "$SCRATCH" -name postmaster.pid 2>/dev/null)
}

# Runs a command in its own process group, so that an interrupted run can end all of it.
run_job() {
  local status=0
  set -m
  "$@" </dev/null &
  JOB=$!
  set +m
  wait "$JOB" || status=$?
  JOB=
  return "$status"
}

# It succeeds: in a trap of errexit what comes after it has to be done.
end_job() {
  local tries=50
  [ "$JOB" ] || return 0
  kill -TERM -- "-$JOB" 2>/dev/null || true
  while kill -0 -- "-$JOB" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
  kill -KILL -- "-$JOB" 2>/dev/null || true
}

# --- building ---------------------------------------------------------------------------

# tree_to DIRECTORY: copies the sources, without what a build leaves behind.
tree_to() {
  mkdir -p "$1"
  tar -C "$IDGEN_ROOT" --exclude=./.git --exclude='./build*' --exclude=./tmp_check \
    --exclude=./results --exclude=./output_iso --exclude=./log --exclude='./regression.*' \
    --exclude='*.o' --exclude='*.bc' --exclude='*.d' --exclude='*.so' --exclude='*.a' -cf - . |
    tar -C "$1" --no-same-owner -xf -
}

# Everything is built in copies, so the checkout does not change, whoever owns it.
copy_tree() {
  tree_to "$1"
  if is_root; then chown -R "$(server_user):" "$1"; fi
}

make_in() {
  local tree=$1
  shift
  as_user make -C "$tree" -j "$(nproc)" PG_CONFIG="$PG_CONFIG" "$@"
}

# The flags for make_in that build a module with a header's cycle counter instead of the CPU's.
counter_flags() {
  echo "PG_CPPFLAGS=-Isrc -I. -isystem $("$PG_CONFIG" --includedir-server) -DIDGEN_CYCLE_COUNTER='<$1>'"
}

# --- a private PostgreSQL -------------------------------------------------------------------

# The programs that belong to PostgreSQL, in a directory that others may share.
programs() {
  (cd / && ls -d "${PG_BINDIR#/}"/{postgres,psql,initdb,pgbench,pg_*,createdb,dropdb,createuser,dropuser} \
    "${PG_BINDIR#/}"/{clusterdb,reindexdb,vacuumdb,vacuumlo,oid2name} 2>/dev/null) || true
}

# What programs that use libpq are compiled and linked with.
client_files() {
  local include lib
  include=$("$PG_CONFIG" --includedir) lib=$("$PG_CONFIG" --libdir)
  (cd / && ls -d "${include#/}"/{libpq-fe,libpq-events,postgres_ext,pg_config_ext}.h "${lib#/}"/libpq.* 2>/dev/null) || true
}

# Prints the flags to compile and link a program that uses libpq.
libpq_flags() {
  local include
  include=$("$PG_CONFIG" --includedir)
  if [ -e "$include/libpq-fe.h" ]; then
    echo "-I$include -L$("$PG_CONFIG" --libdir) -lpq"
  else
    pkg-config --cflags --libs libpq
  fi
}

# registry_schema TREE: prints the SQL that idgen_registry_schema() returns.
registry_schema() {
  sed -n '/R"sql(/,/^)sql"/p' "$1/src/registry/postgresql_schema.sql.h" | sed -e '1s/.*R"sql(//' -e '$d'
}

# Copies the PostgreSQL that PG_CONFIG names and uses the copy from now on, in this script and,
# since PG_CONFIG is exported, in those that it runs. PostgreSQL finds its files relative to its
# programs. So nothing is installed, no rights are needed, and runs do not interfere.
copy_postgres() {
  local what
  mkdir -p "$SCRATCH/pg"
  programs | tar -C / -chf - -T - | tar -C "$SCRATCH/pg" -xf -
  client_files | tar -C / -cf - -T - | tar -C "$SCRATCH/pg" -xf -
  for what in --pkglibdir --sharedir --includedir-server; do
    tar -C / -cf - "$("$PG_CONFIG" "$what" | sed 's|^/||')" | tar -C "$SCRATCH/pg" -xf -
  done
  PG_CONFIG=$SCRATCH/pg$PG_BINDIR/pg_config
  PG_BINDIR=$SCRATCH/pg$PG_BINDIR
  export PG_CONFIG
  if is_root; then chown -R "$(server_user):" "$SCRATCH/pg"; fi
}

# install_from TREE [make variable ...]: installs what was built there into the private copy.
install_from() {
  local tree=$1
  shift
  as_user make -C "$tree" PG_CONFIG="$PG_CONFIG" "$@" install
}

# build_private TREE [make variable ...]: copies the sources to TREE, copies PostgreSQL, and builds
# and installs idgen into that copy. The output goes to a log, whose end is shown on failure.
build_private() {
  local tree=$1 start=$SECONDS
  shift
  say "Building idgen for PostgreSQL $MAJOR of $PG_BINDIR, in a private copy of it below $SCRATCH"
  copy_tree "$tree"
  copy_postgres
  { make_in "$tree" "$@" && install_from "$tree" "$@"; } >"$SCRATCH/log/build.log" 2>&1 ||
    { tail -n 30 "$SCRATCH/log/build.log" && die "the build failed"; }
  say "  ($((SECONDS - start)) s)"
}

# --- throw-away clusters --------------------------------------------------------------------

# The cluster that the functions below, psql and other programs use.
CLUSTER=data CLUSTER_LOG=log/server.log

# use_cluster NUMBER: selects one of several, from 1 up. Each has its own port.
use_cluster() {
  CLUSTER=data$1 CLUSTER_LOG=log/server$1.log
  export PGPORT=$((IDGEN_PORT + $1))
}

# Prints a TCP port that nobody uses now.
free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'; }

# cluster_create ['setting = value' ...]: reached only through a socket in the scratch directory.
cluster_create() {
  as_user rm -rf "$SCRATCH/$CLUSTER" "$SCRATCH/$CLUSTER_LOG"
  as_user initdb -D "$SCRATCH/$CLUSTER" -U postgres -A trust --locale=C --encoding=UTF8 \
    >"$SCRATCH/log/initdb.log" 2>&1 || { cat "$SCRATCH/log/initdb.log" && return 1; }
  printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$SCRATCH'" \
    "port = $PGPORT" "$@" | as_user tee -a "$SCRATCH/$CLUSTER/postgresql.conf" >/dev/null
}

cluster_start() {
  as_user pg_ctl start -s -w -t 60 -D "$SCRATCH/$CLUSTER" -l "$SCRATCH/$CLUSTER_LOG" </dev/null ||
    { tail -n 20 "$SCRATCH/$CLUSTER_LOG" && return 1; }
}

cluster_stop() { as_user pg_ctl stop -s -w -m "${1:-fast}" -D "$SCRATCH/$CLUSTER"; }

children_of() {
  sed -n -E "s/^([0-9]+) \(.*\) [A-Z] $1 .*/\1/p" /proc/[0-9]*/stat 2>/dev/null || true
}

# Kills the postmaster with kill -9 and waits until all its processes are gone.
cluster_kill() {
  local postmaster pid
  local -a processes
  postmaster=$(head -n 1 "$SCRATCH/$CLUSTER/postmaster.pid")
  mapfile -t processes < <(children_of "$postmaster")
  kill -9 "$postmaster"
  for pid in "$postmaster" "${processes[@]}"; do
    wait_gone "$pid" || die "process $pid of the killed server is still there"
  done
  # In a container without an init, the dead postmaster's process ID remains and looks alive.
  as_user rm -f "$SCRATCH/$CLUSTER/postmaster.pid" "$SCRATCH/.s.PGSQL.$PGPORT"{,.lock}
}

# Waits until a process is gone, or dead without its parent having waited for it.
wait_gone() {
  local tries=300
  while [ -e "/proc/$1" ] && ! grep -qs '^State:.*Z' "/proc/$1/status"; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
}

# Runs psql for scripts: quiet, and an error ends it.
sql() { as_user psql -X -q -P pager=off -v ON_ERROR_STOP=1 "$@"; }

# Prints one value.
sql_value() { sql -A -t -c "$1"; }
