#!/usr/bin/env bash
# Mails through a real mail server that delivers to a mailbox: OpenSMTPD, for root, Debian's in a scratch folder.
# Ends with status 77 where it cannot be had or run.
. "$(dirname "$0")/common"

[ "$(id -u)" = 0 ] || skip "OpenSMTPD has a root and users of its own here, which takes root"
# unpacked, not installed, so that nothing of the machine is changed and no service of it is started; it wants users,
# a spool and a shell, so it gets a root of its own, with the libraries it is linked to
root=$work/root
mkdir -p "$root"/{etc,dev,tmp,mail,run,bin,var/run,var/spool/smtpd,var/lib/opensmtpd/empty}
chmod 755 "$work" "$root"
fetch() { (cd "$work" && apt-get download -qq opensmtpd >/dev/null 2>&1); }
fetch || { apt-get update -qq >/dev/null 2>&1 && fetch; } || true
dpkg-deb -x "$work"/opensmtpd_*.deb "$root" 2>/dev/null || skip "no OpenSMTPD can be had here"
for program in "$root/usr/sbin/smtpd" "$root"/usr/libexec/opensmtpd/mail.* /bin/sh; do
  for library in $(ldd "$program" | grep -o '/[^ ]*' || true); do
    mkdir -p "$root${library%/*}"
    cp -L "$library" "$root$library"
  done
done
cp -L /bin/sh "$root/bin/sh"
mknod "$root/dev/null" c 1 3 2>/dev/null && mknod "$root/dev/urandom" c 1 9 || skip "no devices can be made here"
chmod 666 "$root"/dev/*
chmod 711 "$root/var/spool/smtpd"
chown 1000:1000 "$root/mail"
empty=/var/lib/opensmtpd/empty
printf '%s\n' 'root:x:0:0::/:/bin/sh' "opensmtpd:x:901:901::$empty:/bin/false" "opensmtpq:x:902:902::$empty:/bin/false" \
  'duty:x:1000:1000::/mail:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'opensmtpd:x:901:' 'opensmtpq:x:902:' 'duty:x:1000:' >"$root/etc/group"
chroot "$root" /usr/sbin/smtpd -h 2>"$work/version" || true
grep OpenSMTPD "$work/version" || skip "OpenSMTPD does not run here: $(head -n 1 "$work/version")"

# a port that is free now; another one is tried if somebody takes it meanwhile
for try in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  cat >"$root/etc/smtpd.conf" <<CONF
listen on 127.0.0.1 port $port hostname mx.example.org
action "deliver" maildir "/mail/%{user.username}"
match from local for domain "example.org" action "deliver"
CONF
  chroot "$root" /usr/sbin/smtpd -d >"$work/log" 2>&1 &
  peer=$!
  for _ in $(seq 100); do
    if ! kill -0 "$peer" 2>/dev/null; then break; fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break 2; fi
    sleep 0.1
  done
  stop
done
[ -n "$peer" ] || { cat "$work/log" >&2; echo "error: OpenSMTPD does not start" >&2; exit 1; }

export SMTP_PORT=$port MAILDIR=$root/mail/duty
try mailing::a_real_server
python3 tests/peers/mails.py "$MAILDIR"
