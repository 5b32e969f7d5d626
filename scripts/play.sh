#!/usr/bin/env bash
# Plays a tape with the program just built first in PATH, in a home of its own, so that nothing of yours is
# read or changed.   scripts/play.sh [--text] [--out DIR] [--size COLSxROWS] FILE.tape
set -euo pipefail
cd "$(dirname "$0")/.."
home=$(mktemp -d)
trap 'PATH=$PWD/.cache:$PATH CAU_HOME=$home/state cau lab down >/dev/null 2>&1 || true; rm -rf "$home"' EXIT
export CAU_HOME=$home/state XDG_CACHE_HOME=$home/cache PATH=$PWD/.cache:$PATH
out=.cache/tape-out
for arg in "$@"; do [ "${prev:-}" = --out ] && out=$arg; prev=$arg; done
python3 scripts/tape.py --out "$out" "$@"
