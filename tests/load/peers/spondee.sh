#!/bin/bash
# Starts Spondee for a test: writes a config, accounts and a certificate to a temp folder, starts
# the server and prints PID=, DIR=, PORT=.
#   spondee.sh                start            spondee.sh stop PID
# Further variables: PORT (35222), SPONDEE (the binary; default the release
#   build of this repository), HOSTS (1; more are named host1.localhost ...),
#   THREADS (2), MODULES (of all hosts, in the form of the config, such as '"+register"'),
#   LIMITS (default: the default limits; any other value: limits that are never reached),
#   EXTRA (lines at the end of the config)
set -eu
. "$(dirname "$0")/common.sh"
if [ "${1:-}" = stop ]; then stop "$2"; exit; fi
repo=$(cd "$(dirname "$0")/../../.." && pwd)
: "${PORT:=35222}" "${HOSTS:=1}" "${MODULES:=}" "${THREADS:=2}" "${LIMITS:=}" "${EXTRA:=}"
: "${SPONDEE:=${CARGO_TARGET_DIR:-$repo/target}/release/spondee}"

if [ "$REUSE" = no ]; then
    certificate
    modules=""; [ -z "$MODULES" ] || modules="modules = [$MODULES]"
    {
        cat <<CFG
data = "$DIR/data"
threads = $THREADS

[[listen]]
kind = "c2s"
address = "127.0.0.1:$PORT"

[tls]
certificate = "$DIR/cert.pem"
key = "$DIR/key.pem"

[log]
level = "warn"

CFG
        [ "$LIMITS" = default ] || cat <<CFG
[limits]
scram_iterations = 10000 # as in Prosody
connections_per_address = 50_000 # all clients are on this machine
connections_per_second = 1_000_000
bytes_per_second = 1_000_000_000
stanzas_per_second = 10_000_000
CFG
        for i in $(seq 0 $((HOSTS - 1))); do
            host=localhost; [ "$i" = 0 ] || host=host$i.localhost
            printf '\n[host."%s"]\nallow_plaintext = true\n%s\n' "$host" "$modules"
        done
        printf '%s\n' "$EXTRA"
    } > "$DIR/spondee.toml"
    for i in $(seq 0 $((USERS - 1))); do echo "user$i@localhost,pw"; done |
        "$SPONDEE" --config "$DIR/spondee.toml" user import - > "$DIR/import.log" 2>&1
fi
command="$SPONDEE --config $DIR/spondee.toml"
if [ "$START" = no ]; then echo "DIR=$DIR COMMAND=$command"; exit; fi
serve $command
