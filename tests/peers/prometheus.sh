#!/usr/bin/env bash
# Metrics, alerts and dashboards against a real Prometheus: the one that is installed, or Debian's in a scratch folder.
# It scrapes the demo of $PROGRAM (target/release/groundswell), about half a minute; then everything that dashboards and
# alerts ask is asked, and the demo is stopped. With MUTATE=1 each alert is changed on purpose first, which takes two
# minutes more. $METRICS can name a file with the table of metrics, as `groundswell reference metrics --json` prints it.
# Ends with status 77 where there is no Prometheus to be had, but for CI.
. "$(dirname "$0")/common"

demo=
stop() {
  for process in $peer $demo; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  peer= demo=
}

fail() {
  echo "error: $*" >&2
  exit 1
}

prometheus=$(command -v prometheus || true)
promtool=$(command -v promtool || true)
if [ -z "$prometheus" ] || [ -z "$promtool" ]; then
  # unpacked, not installed, so that nothing of the machine is changed
  fetch() { (cd "$work" && apt-get download -qq prometheus >/dev/null 2>&1); }
  fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; } || true
  dpkg-deb -x "$work"/prometheus_*.deb "$work/root" 2>/dev/null || true
  prometheus=$work/root/usr/bin/prometheus promtool=$work/root/usr/bin/promtool
fi
if ! { "$prometheus" --version && "$promtool" --version; } >"$work/version" 2>&1; then
  [ -z "${CI:-}" ] || fail "no Prometheus can be had here"
  skip "no Prometheus can be had here"
fi
head -n 1 "$work/version"

"$promtool" check config grafana/prometheus.yaml
"$promtool" check rules --lint=all --lint-fatal grafana/prometheus-alerts.yaml
"$promtool" test rules grafana/prometheus-alerts.test.yaml
[ -z "${MUTATE:-}" ] || python3 tests/prometheus/mutate.py "$promtool"

program=${PROGRAM:-${CARGO_TARGET_DIR:-target}/release/groundswell}
[ -x "$program" ] || fail "expected a program at $program, found none: cargo build --release"
table=${METRICS:-$work/table.json}
[ -n "${METRICS:-}" ] || "$program" reference metrics --json >"$table"

# until a command succeeds, for so many seconds
await() {
  local seconds=$1
  shift
  for _ in $(seq $((seconds * 10))); do
    if "$@" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}

begun=$(date +%s)
"$program" demo --listen 127.0.0.1:0 --speed 200 --stay >"$work/told" 2>"$work/log" &
demo=$!
served() { service=$(grep -m 1 -o '127\.0\.0\.1:[0-9]*' "$work/log") && curl -fsS -o /dev/null "http://$service/healthz"; }
await 20 served || { cat "$work/log" >&2; fail "the demo does not serve"; }

cat >"$work/prometheus.yaml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ['$PWD/grafana/prometheus-alerts.yaml']
scrape_configs:
  - job_name: groundswell
    static_configs: [{targets: ['$service']}]
YAML
# a port that is free now; another one is tried if somebody takes it meanwhile
for try in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  "$prometheus" --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/data" \
    --web.listen-address="127.0.0.1:$port" >"$work/peer" 2>&1 &
  peer=$!
  # one that stopped may have found another peer at its port
  ready() { ! kill -0 "$peer" || curl -fsS -o /dev/null "http://127.0.0.1:$port/-/ready"; }
  if await 20 ready && kill -0 "$peer" 2>/dev/null && grep -q "Server is ready" "$work/peer"; then break; fi
  kill "$peer" 2>/dev/null || true
  wait "$peer" 2>/dev/null || true
  peer=
done
[ -n "$peer" ] || { cat "$work/peer" >&2; fail "Prometheus does not start"; }

# the story waits for the first scrape, which is to be that of Prometheus
scraped() { curl -fsS "http://127.0.0.1:$port/api/v1/query?query=up" | grep -q ',"1"\]'; }
await 15 scraped || fail "Prometheus does not scrape the demo"

# the story is over when its page has ended, and somebody has said what it was
over() {
  curl -fsS "http://$service/metrics" >"$work/metrics" &&
    grep '^groundswell_transitions_total{' "$work/metrics" | grep 'severity="page"' | grep 'to="resolved"' >/dev/null &&
    grep -q '^groundswell_incident_verdicts_total{.*verdict="real"} 1$' "$work/metrics"
}
await 150 over || { tail -n 20 "$work/log" >&2; fail "the story of the demo does not end"; }
# some scrapes more, for what changed last
sleep 5
kill -0 "$demo" || fail "the demo does not stay"

# all that is found is told, not the first of it
found=0
curl -fsS "http://$service/metrics" >"$work/metrics"
if "$promtool" check metrics <"$work/metrics" >"$work/lint" 2>&1; then
  echo "$(grep -c '^# TYPE' "$work/metrics") metrics in the form that Prometheus wants"
else
  sort -u "$work/lint" >&2
  found=1
fi
# how fast the disk of this machine is, is no matter here
python3 tests/prometheus/queries.py --prometheus "http://127.0.0.1:$port" --metrics "$table" --from "$begun" --self-test \
  --may-fire GroundswellPagesSlow || found=1

# it stops, and Prometheus is the one to say so
kill "$demo"
wait "$demo" || fail "the demo does not end well: $(tail -n 3 "$work/log")"
demo=
silent() {
  curl -fsS "http://127.0.0.1:$port/api/v1/alerts" >"$work/alerts" && grep -q '"alertname":"GroundswellDown"' "$work/alerts"
}
await 20 silent || fail "the alert GroundswellDown does not see that the demo stopped: $(cat "$work/alerts")"
echo "GroundswellDown sees that the demo stopped"
exit "$found"
