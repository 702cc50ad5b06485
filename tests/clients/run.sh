#!/usr/bin/env bash
# Tests the server with clients and components of other projects: slixmpp, go-sendxmpp and profanity,
# a component made with slixmpp, and biboumi. slixmpp also tests the example's binary and the binary of a
# new module, and Prometheus' parser reads the metrics.
# Usage: run.sh FOLDER; the folder has the binaries `spondee`, `guestbook-server` and
# `sticky-note-server`, which tests/tests/new_module.rs makes.
# Needs python3-venv, go-sendxmpp, profanity, tmux and biboumi from Debian, and slixmpp and
# prometheus-client, which it installs from PyPI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binaries=$(cd "$1" && pwd)
work=$(mktemp -d)
server=
gateway=
trap 'for process in $gateway $server; do kill "$process" 2>/dev/null || true; done; rm -rf "$work"' EXIT

for command in go-sendxmpp profanity tmux biboumi; do
    command -v $command >/dev/null || { echo "$command is not installed" >&2; exit 1; }
done
venv=${SLIXMPP_VENV:-$work/venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import slixmpp, prometheus_client' 2>/dev/null ||
    "$venv/bin/pip" install -q slixmpp prometheus-client

# start BINARY CONFIG: runs a server and reads its ports from its log.
start() {
    printf 'data = "%s/%s"\n%s\n' "$work" "$1" "$2" > "$work/$1.toml"
    cat >> "$work/$1.toml" <<'TOML'
[[listen]]
kind = "c2s"
address = "127.0.0.1:0"
[[listen]]
kind = "c2s-tls"
address = "127.0.0.1:0"
TOML
    printf '%s@localhost,%s\n' romeo romeo juliet juliet nurse nurse > "$work/accounts.csv"
    "$binaries/$1" --config "$work/$1.toml" user import "$work/accounts.csv"
    "$binaries/$1" --config "$work/$1.toml" 2> "$work/$1.log" &
    server=$!
    for _ in $(seq 200); do
        grep -q ' started ' "$work/$1.log" && break
        kill -0 "$server" || { cat "$work/$1.log" >&2; exit 1; }
        read -rt 0.1 < <(:) || true
    done
    starttls=$(sed -n 's/.*kind=c2s address=//p' "$work/$1.log")
    tls=$(sed -n 's/.*kind=c2s-tls address=//p' "$work/$1.log")
    export SSL_CERT_FILE="$work/$1/self-signed.pem"
    component=$(sed -n 's/.*kind=component address=//p' "$work/$1.log")
    export STARTTLS=$starttls TLS=$tls COMPONENT=$component
}

stop() {
    kill "$server"
    wait "$server"
    server=
}

start spondee '[host."localhost"]
[component."echo.localhost"]
secret = "echo it"
[component."irc.localhost"]
secret = "chat of old"
[[listen]]
kind = "component"
address = "127.0.0.1:0"
[[listen]]
kind = "http"
address = "127.0.0.1:0"
'
for scenario in talk contacts features beside_go_sendxmpp; do
    "$venv/bin/python" "$here/slixmpp_clients.py" "$scenario"
done
"$venv/bin/python" "$here/profanity_client.py" "$work"
"$venv/bin/python" "$here/components.py" echo
cat > "$work/biboumi.cfg" <<CFG
hostname=irc.localhost
password=chat of old
xmpp_server_ip=127.0.0.1
port=${COMPONENT##*:}
db_name=$work/biboumi.sqlite
CFG
biboumi "$work/biboumi.cfg" > "$work/biboumi.log" 2>&1 &
gateway=$!
"$venv/bin/python" "$here/components.py" biboumi || { cat "$work/biboumi.log" >&2; exit 1; }
kill "$gateway"
wait "$gateway" || true
gateway=
"$venv/bin/python" "$here/metrics.py" "$(sed -n 's/.*kind=http address=//p' "$work/spondee.log")"
stop

start guestbook-server '[host."localhost"]
modules = ["+welcome", "+guestbook"]
'
"$venv/bin/python" "$here/slixmpp_clients.py" guestbook
stop

start sticky-note-server ''
"$venv/bin/python" "$here/slixmpp_clients.py" sticky_note
stop
echo "clients: all passed"
