#!/usr/bin/env bash
# Alerts against a real Alertmanager: the one that is installed, or, for root, Debian's in a scratch folder.
# Ends with status 77 where there is none to be had.
. "$(dirname "$0")/common"

mkdir "$work/root" "$work/root/data"
program=$(command -v prometheus-alertmanager || command -v alertmanager || true)
within=$work/root
if [ -n "$program" ]; then
  run=("$program")
else
  # unpacked, not installed, so that nothing of the machine is changed; it looks for files of its own below /usr,
  # so it gets a root of its own, with the libraries it is linked to
  fetch() { (cd "$work" && apt-get download -qq prometheus-alertmanager >/dev/null 2>&1); }
  fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; } || true
  dpkg-deb -x "$work"/prometheus-alertmanager_*.deb "$work/root" 2>/dev/null || true
  program=/usr/bin/prometheus-alertmanager
  if [ -x "$work/root$program" ]; then
    for library in $(ldd "$work/root$program" | grep -o '/[^ ]*'); do
      mkdir -p "$work/root${library%/*}"
      cp -L "$library" "$work/root$library"
    done
  fi
  run=(chroot "$work/root" "$program")
  within=
fi
"${run[@]}" --version >"$work/version" 2>&1 || skip "no Alertmanager can be had here"
head -n 1 "$work/version"

cat >"$work/root/config.yml" <<'YAML'
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
YAML
# a port that is free now; another one is tried if somebody takes it meanwhile
for try in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  "${run[@]}" --config.file="$within/config.yml" --storage.path="$within/data" --cluster.listen-address= \
    --web.listen-address="127.0.0.1:$port" >"$work/log" 2>&1 &
  peer=$!
  for _ in $(seq 100); do
    if ! kill -0 "$peer" 2>/dev/null; then break; fi
    if curl -fsS -o /dev/null "http://127.0.0.1:$port/-/ready" 2>/dev/null; then break 2; fi
    sleep 0.1
  done
  stop
done
[ -n "$peer" ] || { cat "$work/log" >&2; echo "error: Alertmanager does not start" >&2; exit 1; }

export AM_URL=http://127.0.0.1:$port
try alerting::a_real_alertmanager
