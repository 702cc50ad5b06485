#!/usr/bin/env bash
# Federates the server with Prosody and ejabberd from Debian's packages. Usage: run.sh FOLDER; the
# folder has the binary. Needs the packages prosody, ejabberd, dnsmasq-base, lua-unbound, openssl
# and python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "$1")/spondee
for proof in external dialback; do
    work=$(mktemp -d)
    python3 "$here/federation.py" "$binary" "$work" "$proof" || {
        tail -n 60 "$work"/*.log | cut -c1-300
        exit 1
    }
    rm -r "$work"
done
