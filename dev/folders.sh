# Debian releases in folders of their own, made by debootstrap. To be sourced after dev/lib.sh.
# shellcheck shell=bash

# mirror LABEL: prints the mirror of Debian, or of Debian-Security, that this machine's apt uses; nothing if it uses none.
# debootstrap has one of its own then.
mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' "Label: $1" 'Component: main' 2>/dev/null | head -n 1
}

# bootstrap SUITE FOLDER [ARCHITECTURE]: installs a release's smallest set of packages. The log is FOLDER.log.
# If this machine's CPU does not run the architecture's programs, EMULATOR has to.
bootstrap() {
  local suite=$1 folder=$2 security
  local -a options=(--variant=minbase)
  if [ "${3:-}" ]; then options+=(--arch="$3"); fi
  if [ "$EMULATOR" ]; then options+=(--foreign); fi
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  { debootstrap "${options[@]}" "$suite" "$folder" "$(mirror Debian)" &&
    { [ -z "$EMULATOR" ] || in_folder "$folder" /debootstrap/debootstrap --second-stage; }; } >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log" && die "debootstrap of $suite failed"; }
  # PostgreSQL's last minor release comes from there first. Unstable has no such suite.
  security=$(mirror Debian-Security)
  if [ "$security" ] && [ "$suite" != sid ] && [ -z "${3:-}" ]; then
    echo "deb $security $suite-security main" >"$folder/etc/apt/sources.list.d/security.list"
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

# The program that runs the folders' programs (qemu-user, linked statically), or empty, and what the kernel needs to know of
# it: the head of arm64's programs, and that it is opened here and not in the folder (F).
EMULATOR=
readonly ARM64_PROGRAM='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
readonly ARM64_MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

# in_root OVERLAY FOLDER COMMAND ...
# The emulator is registered in a user name space that has all users of this machine. So nothing changes for the machine
# (Linux 6.7 and later). debootstrap cannot make devices there, and does without in what it takes for LXC.
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child -- bash -c '
    set -e
    folder=$3
    [ -z "$2" ] || mount -t overlay idgen -o "$2" "$folder"
    enter=() container=()
    mount --rbind /dev "$folder/dev"
    mount -t tmpfs tmpfs "$folder/dev/shm"
    mount -t proc proc "$folder/proc"
    cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
    if [ "$1" ]; then
      mount -t proc proc /proc
      unshare --user sleep infinity &
      while [ "$(readlink /proc/$!/ns/user)" = "$(readlink /proc/$$/ns/user)" ]; do sleep 0.01; done
      echo "0 0 65536" | tee /proc/$!/uid_map >/proc/$!/gid_map
      enter=(nsenter --user --target $! unshare --mount bash -e -c
        "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && printf %s \"\$1\" >/proc/sys/fs/binfmt_misc/register && shift && exec \"\$@\""
        bash "$1")
      container=(container=lxc)
    fi
    shift 3
    exec "${enter[@]}" chroot "$folder" env -i "${container[@]}" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
      DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" IDGEN_RESULTS=/idgen.results "$@"
  ' bash "${EMULATOR:+:idgen:M::$ARM64_PROGRAM:$ARM64_MASK:$EMULATOR:F}" "$@"
}
