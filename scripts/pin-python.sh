#!/usr/bin/env bash
#
# usage: scripts/pin-python.sh [--upgrade]
#
# Pins the Python packages that judges, peers and scripts are installed from. Each folder that has some names what it uses in
# requirements.in. This script writes requirements.txt beside it: these packages and everything that they depend on, each with one
# version and the hashes of its files. pip --no-deps --require-hashes then installs nothing else.
#
# Run it after you have edited a requirements.in, with Python 3.11, which CI has. It keeps the versions in requirements.txt where they
# still fit; --upgrade takes the newest instead.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
upgrade=()
if [[ $# -eq 1 && $1 == --upgrade ]]; then
  upgrade=(--upgrade)
elif (($# > 0)); then
  echo "usage: scripts/pin-python.sh [--upgrade]" >&2
  exit 2
fi

unset PIP_FIND_LINKS # nobody else has the hashes of files that lie on this machine

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
  -r scripts/pip-tools/requirements.txt

for requirements in internal/judges/tools/*/requirements.in bench/peers/*/requirements.in scripts/*/requirements.in; do
  folder=$(dirname "$requirements")
  echo "pinning $folder"
  (
    cd "$folder"
    "$venv/bin/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate --no-emit-index-url \
      --no-emit-trusted-host --no-emit-find-links ${upgrade[@]+"${upgrade[@]}"} requirements.in
  )
done
