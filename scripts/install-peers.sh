#!/usr/bin/env bash
#
# usage: scripts/install-peers.sh
#
# Installs what make bench measures golam new beside: each folder of bench/peers with pins of Python or Node, into .cache/peers, and sam, which is
# one of the judges. It takes Python 3 and Node; after the first time it only installs what has new pins. A peer that cannot be installed
# leaves a log and no program, and does not keep the others from it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly pins=$PWD/bench/peers
readonly cache=$PWD/.cache/peers
export LC_ALL=C # the order of the pins in a stamp

# Fills the peer's empty folder below the cache with what its pins say. The pins are all that a peer needs.
fill() {
  local peer=$1
  cd "$cache/$peer"
  if [[ -f $pins/$peer/requirements.txt ]]; then
    python3 -m venv . &&
      bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r "$pins/$peer/requirements.txt"
  else
    cp "$pins/$peer"/package*.json . &&
      npm ci --no-audit --no-fund --silent
  fi
}

# Installs a peer unless it was installed from the pins of today. The stamp, written last, holds the pins that it was installed from.
install() {
  local peer=$1 stamp=$cache/$1/installed-from log=$cache/$1.log started=$SECONDS
  if cat "$pins/$peer"/* | cmp -s - "$stamp"; then
    return
  fi
  echo "installing $peer"
  rm -rf "${cache:?}/$peer"
  mkdir "$cache/$peer"
  if ! (fill "$peer") >"$log" 2>&1; then
    rm -rf "${cache:?}/$peer"
    echo "$peer cannot be installed, see $log" >&2
    return 1
  fi
  cat "$pins/$peer"/* >"$stamp"
  echo "installed $peer in $((SECONDS - started)) s"
}

mkdir -p "$cache"
# One installation at a time. The lock goes when this script and all that it started are gone.
exec 9>"$cache/lock"
python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'

installations=()
set -m # a process group for each installation, to end all of it
scripts/install-judges.sh sam &
installations+=($!)
for folder in "$pins"/*/; do
  [[ -f $folder/requirements.txt || -f $folder/package.json ]] || continue # sources of functions, which bench/lambda builds
  install "$(basename "$folder")" &
  installations+=($!)
done
trap 'kill -- "${installations[@]/#/-}" 2>/dev/null; exit 130' INT TERM
status=0
for installation in "${installations[@]}"; do
  wait "$installation" || status=1
done
exit "$status"
