#!/usr/bin/env bash
# The dashboards against Grafana's own schema, their queries against Prometheus's promtool (the one that is installed, or Debian's in
# a scratch folder); with a file of metrics (`run.sh METRICS`, see check.py), also against these.
# Ends with status 77 where what is needed cannot be had, unless $CI is set.
set -euo pipefail
metrics=${1:+$(realpath "$1")}
cd "$(dirname "$0")"

if [ -n "$metrics" ]; then python3 check.py "$metrics"; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  # unpacked, not installed, so that nothing of the machine is changed
  fetch() { (cd "$work" && apt-get download -qq prometheus >/dev/null 2>&1); }
  fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; } || true
  dpkg-deb -x "$work"/prometheus_*.deb "$work" 2>/dev/null || true
  promtool=$work/usr/bin/promtool
fi
"$promtool" --version >/dev/null 2>&1 || cannot "no promtool can be had here"
python3 queries.py "$promtool"
