#!/usr/bin/env bash
# The dashboards against Grafana's own schema; with a file of metrics (`run.sh METRICS`, see check.py), also against these.
# Ends with status 77 where the packages cannot be had, unless $CI is set.
set -euo pipefail
cd "$(dirname "$0")"

if [ $# -gt 0 ]; then python3 check.py "$1"; fi

cannot() {
  if [ -n "${CI:-}" ]; then
    echo "error: $1" >&2
    exit 1
  fi
  echo "skipped: $1" >&2
  exit 77
}
command -v node >/dev/null && command -v npm >/dev/null || cannot "no node and npm here"
npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1 || cannot "the packages of tests/grafana/package-lock.json cannot be had here"
node check.mjs
