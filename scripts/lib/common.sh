# shellcheck shell=bash
# For sourcing by the scripts beside this folder: they all run in the root of the repository.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
source scripts/lib/packages.sh

say() { echo "${0##*/}: $*"; }
die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# The comment at the head of a script is its help.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# packages_missing NAME...: prints those of these Debian packages that are not installed.
packages_missing() {
  local installed name
  installed=" $(dpkg-query -W -f='${db:Status-Abbrev}${Package} ' "$@" 2>/dev/null || true)"
  for name; do
    [[ $installed == *" ii $name "* || $installed == *"ii $name "* ]] || echo "$name"
  done
}

# install_packages NAME...: installs what is missing of these Debian packages.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system, so nothing is installed; needed are what Debian calls: $*"
    return
  fi
  local missing as_root=() log=build/install.log
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs root (or sudo) once, for: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  mkdir -p build
  say "installing Debian packages (log: $log): ${missing[*]}"
  if ! {
    "${as_root[@]}" apt-get update -q &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${missing[@]}"
  } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    die "apt-get could not install them, see above"
  fi
}

# Compilers at once: as many as cores, but no more than memory is there for, at about 1.5 GiB each.
build_jobs() {
  local by_memory
  by_memory=$(awk '/^MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  echo $((by_memory < 1 ? 1 : by_memory < $(nproc) ? by_memory : $(nproc)))
}

# How sanitizers bear libtorch: it keeps memory until the end that the leak checker would report.
sanitizers_for_torch() { export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1; }

# short_training PROGRAM: train a tiny network with two workers for some rounds.
short_training() {
  local folder status=0
  folder=$(mktemp -d)
  "$1" train --data synthetic:512,1,16,16,4 --depths 1,1,3,1 --width 8 --min-blocks 1 --workers 2 --threads 1 \
    --batch-size 32 --local-iterations 4 --epochs 2 --run-dir "$folder/run" || status=$?
  rm -rf "$folder"
  return $status
}
