#!/usr/bin/env bash
# Fuzzes every target for SECONDS_EACH (60) seconds; needs the nightly toolchain and cargo-fuzz,
# which it installs if it can. A crash leaves its input under tests/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fuzz
if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "skipped: the nightly toolchain is not here"
  exit 0
fi
command -v cargo-fuzz >/dev/null || cargo install --quiet cargo-fuzz --locked
for target in query expression vader decode rules; do
  echo "fuzz: $target"
  mkdir -p "tests/fuzz/corpus/$target"
  # good beginnings: seeds, and for rule files those that ship and those that are wrong
  if [ -d "tests/fuzz/seeds/$target" ]; then cp tests/fuzz/seeds/"$target"/* "tests/fuzz/corpus/$target/"; fi
  if [ "$target" = rules ]; then cp rules/*.yaml tests/bad/*.yaml tests/fuzz/corpus/rules/; fi
  cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" -- -max_total_time="${SECONDS_EACH:-60}" -max_len=4096 2>&1 |
    grep -E "panicked|ERROR|Done|DONE|artifact" || true
  [ -z "$(ls -A "tests/fuzz/artifacts/$target" 2>/dev/null)" ] || { echo "error: $target found a crash" >&2; exit 1; }
done
