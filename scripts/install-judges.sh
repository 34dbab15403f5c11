#!/usr/bin/env bash
#
# usage: scripts/install-judges.sh [TOOL...]
#
# Installs the judges, the tools that generated projects must satisfy: all of them, or those named, each a folder of
# internal/judges/tools with its pinned versions. Their programs are then in .cache/judges/bin. It takes Python 3, Node and Go, and a few
# minutes the first time; afterwards it only installs what has new pins. It can be stopped and started again at any time.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly tools=$PWD/internal/judges/tools
readonly cache=$PWD/.cache/judges
readonly programs=(
  actionlint/bin/actionlint
  aws/bin/aws
  aws/bin/moto_server
  aws/bin/shellcheck
  checkov/bin/checkov
  delve/bin/dlv
  golangci-lint/bin/golangci-lint
  markdownlint/node_modules/.bin/markdownlint-cli2
  otelcol/bin/otelcol
  sam/bin/cfn-lint
  sam/bin/sam
)
export LC_ALL=C # the order of the pins in a stamp

# Fills the tool's empty folder below the cache with what the tool's pins say.
fill() {
  local tool=$1
  cd "$cache/$tool"
  if [[ -f $tools/$tool/requirements.txt ]]; then
    python3 -m venv . &&
      bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
        -r "$tools/$tool/requirements.txt" &&
      bin/python -m pip check # that the pins are complete
  elif [[ -f $tools/$tool/package.json ]]; then
    cp "$tools/$tool"/package*.json . &&
      npm ci --no-audit --no-fund --silent
  else
    CGO_ENABLED=0 GOFLAGS='' GOWORK=off go build -C "$tools/$tool" -trimpath -buildvcs=false -o "$PWD/bin/" tool
  fi
}

# Installs a tool unless it was installed from the pins of today. The stamp, written last, holds the pins that it was installed from.
install() {
  local tool=$1 stamp=$cache/$1/installed-from log=$cache/$1.log started=$SECONDS
  if cat "$tools/$tool"/* | cmp -s - "$stamp"; then
    return
  fi
  echo "installing $tool"
  rm -rf "${cache:?}/$tool"
  mkdir "$cache/$tool"
  if ! (fill "$tool") >"$log" 2>&1; then
    echo "$tool cannot be installed, see $log:" >&2
    tail -n 20 "$log" >&2
    return 1
  fi
  cat "$tools/$tool"/* >"$stamp"
  echo "installed $tool in $((SECONDS - started)) s"
}

if (($# == 0)); then
  cd "$tools"
  set -- *
fi
for tool in "$@"; do
  if [[ ! $tool =~ ^[a-z][a-z-]*$ || ! -d $tools/$tool ]]; then
    echo "there is no judge '$tool'; there are:" "$(ls "$tools")" >&2
    exit 2
  fi
done

mkdir -p "$cache/bin"
# One installation at a time. The lock goes when this script and all that it started are gone.
exec 9>"$cache/lock"
python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'

renice -n 10 $$ >/dev/null
installations=()
set -m # a process group for each installation, to end all of it
for tool in "$@"; do
  install "$tool" &
  installations+=($!)
done
trap 'kill -- "${installations[@]/#/-}" 2>/dev/null; exit 130' INT TERM
status=0
for installation in "${installations[@]}"; do
  wait "$installation" || status=1
done
for program in "${programs[@]}"; do
  if [[ -x $cache/$program ]]; then
    ln -sf "../$program" "$cache/bin/"
  fi
done
exit "$status"
