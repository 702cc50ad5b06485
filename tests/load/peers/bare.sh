#!/bin/bash
# The rig as a server that only logs clients in: the lower bound of a login's cost. Starts the server
# and prints PID=, DIR=, PORT=.
#   bare.sh                   start            bare.sh stop PID
# Further variables: PORT (39222), XMPPLOAD (the rig; default the release build of this
#   repository), THREADS (2)
set -eu
. "$(dirname "$0")/common.sh"
if [ "${1:-}" = stop ]; then stop "$2"; exit; fi
repo=$(cd "$(dirname "$0")/../../.." && pwd)
: "${PORT:=39222}" "${THREADS:=2}"
: "${XMPPLOAD:=${CARGO_TARGET_DIR:-$repo/target}/release/xmppload}"

[ "$REUSE" = yes ] || certificate
command="$XMPPLOAD bare --addr 127.0.0.1:$PORT --cert $DIR/cert.pem --key $DIR/key.pem"
command="$command --threads $THREADS --limit 1000000"
if [ "$START" = no ]; then echo "DIR=$DIR COMMAND=$command"; exit; fi
serve $command
