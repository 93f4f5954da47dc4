# Debian releases in folders of their own, made by debootstrap. To be sourced after dev/lib.sh.
# shellcheck shell=bash

# Prints the mirror that this machine's apt uses, if it is a Debian mirror; otherwise debootstrap
# uses its own.
mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null | head -n 1
}

# bootstrap SUITE FOLDER: installs a release's smallest set of packages. The log is FOLDER.log.
bootstrap() {
  local suite=$1 folder=$2
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  debootstrap --variant=minbase "$suite" "$folder" "$(mirror)" >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log" && die "debootstrap of $suite failed"; }
  # PostgreSQL's last minor release comes from there first. Unstable has no such suite.
  if [ "$suite" != sid ]; then
    echo "deb http://deb.debian.org/debian-security $suite-security main" >"$folder/etc/apt/sources.list.d/security.list"
  fi
  # A mirror may lag behind.
  echo 'Acquire::Check-Valid-Until "false";' >"$folder/etc/apt/apt.conf.d/90idgen"
}

# in_folder FOLDER COMMAND ...: runs a command as root in the folder's release. Mounts and processes
# have their own name spaces, so that both are gone when it ends, however it ends.
# shellcheck disable=SC2317
in_folder() { in_root '' "$@"; }

# in_layers TOP LOWER COMMAND ...: the same in the folders of LOWER (separated by colons, the first on top).
# What the command changes goes to TOP and leaves them as they are.
in_layers() {
  local top=$1 lower=$2
  shift 2
  mkdir -p "$top/changes" "$top/work" "$top/root"
  in_root "lowerdir=$lower,upperdir=$top/changes,workdir=$top/work" "$top/root" "$@"
}

# in_root OVERLAY FOLDER COMMAND ...
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child -- bash -c '
    set -e
    folder=$2
    [ -z "$1" ] || mount -t overlay idgen -o "$1" "$folder"
    shift 2
    mount --rbind /dev "$folder/dev"
    mount -t tmpfs tmpfs "$folder/dev/shm"
    mount -t proc proc "$folder/proc"
    cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
    exec chroot "$folder" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
      DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" IDGEN_RESULTS=/idgen.results "$@"
  ' bash "$@"
}
