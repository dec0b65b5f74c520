#!/usr/bin/env bash
# Mails to a mail server of another make, aiosmtpd, which writes them to a Maildir.
# Ends with status 77 where it cannot be installed.
. "$(dirname "$0")/common"

python=$work/python
package=aiosmtpd==1.4.6
{ python3 -m venv "$python" && "$python/bin/pip" install --quiet "$package"; } >"$work/log" 2>&1 || {
  skip "$package cannot be installed here"
}
"$python/bin/python" -m aiosmtpd --version

mailbox=$work/mailbox
# a port that is free now; another one is tried if somebody takes it meanwhile
for try in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  "$python/bin/python" -m aiosmtpd -n -l "127.0.0.1:$port" -c aiosmtpd.handlers.Mailbox "$mailbox" >"$work/log" 2>&1 &
  peer=$!
  for _ in $(seq 100); do
    if ! kill -0 "$peer" 2>/dev/null; then break; fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break 2; fi
    sleep 0.1
  done
  stop
done
[ -n "$peer" ] || { cat "$work/log" >&2; echo "error: aiosmtpd does not start" >&2; exit 1; }

export SMTP_PORT=$port MAILDIR=$mailbox
try mailing::a_real_server
"$python/bin/python" tests/peers/mails.py "$mailbox"
