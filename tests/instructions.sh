#!/usr/bin/env bash
# Counts the instructions of `replay` on a generated file and compares them with the number kept
# beside this script: the same whatever else the machine does. More than 5 % above it fails.
# `tests/instructions.sh --update` writes the number anew.
set -euo pipefail
cd "$(dirname "$0")/.."
kept=tests/instructions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-target}/release
cargo build --release --quiet --bin groundswell --example frames
"$target/examples/frames" --count 40000 --seed 11 --brands 200 --out "$work/frames.ndjson" --rules-out "$work/rules.yaml"
count() {
  (cd "$work" && valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" replay "$2" --rules rules.yaml --threads 1 --json 2>&1 >/dev/null) |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
program=$(readlink -f "$target/groundswell")
head -n 1 "$work/frames.ndjson" >"$work/one.ndjson"
# starting up is counted apart: what is guarded is the cost of a frame
whole=$(count "$program" frames.ndjson)
start=$(count "$program" one.ndjson)
each=$(((whole - start) / 40000))
if [ "${1:-}" = --update ]; then
  echo "$each" >"$kept"
fi
limit=$(($(cat "$kept") * 105 / 100))
echo "instructions a frame: $each (kept $(cat "$kept"), limit $limit)"
[ "$each" -le "$limit" ] || {
  echo "error: replay costs more than 5 % more instructions than before" >&2
  exit 1
}
