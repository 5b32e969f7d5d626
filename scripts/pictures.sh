#!/usr/bin/env bash
# Makes the pictures of the README and docs/pictures from the real program. Needs tmux, chromium and the DejaVu fonts
# (Debian: tmux chromium fonts-dejavu-core).
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in tmux chromium python3; do
	command -v $tool >/dev/null || { echo "scripts/pictures.sh needs $tool" >&2; exit 1; }
done
mkdir -p .cache docs/pictures
go build -o .cache/cau .
scripts/play.sh --out .cache/pictures demo.tape
cp .cache/pictures/*.png docs/pictures/
rm -f docs/pictures/last.png
