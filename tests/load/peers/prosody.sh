#!/bin/bash
# Starts Prosody for a test, in the background: writes a config, accounts and a certificate to a
# temp folder, starts the server and prints PID=, DIR=, PORT=.
#   prosody.sh                start            prosody.sh stop PID
# Further variables: PORT (15222), GC (default | generational), AUTH (hashed |
#   plain: how passwords are stored), MAM (no | internal | sql)
set -eu
. "$(dirname "$0")/common.sh"
if [ "${1:-}" = stop ]; then stop "$2"; exit; fi
: "${PORT:=15222}" "${GC:=default}" "${AUTH:=hashed}" "${MAM:=no}"

if [ "$REUSE" = no ]; then
    certificate
    gc=""; storage=""; module=""
    [ "$GC" = default ] || gc="gc = { mode = \"$GC\" }"
    [ "$MAM" = no ] || module='"mam";'
    [ "$MAM" = sql ] && storage='storage = { archive = "sql" }'
    cat > "$DIR/prosody.cfg.lua" <<CFG
run_as_root = true
pidfile = "$DIR/prosody.pid"
data_path = "$DIR/data"
plugin_paths = {}
log = { warn = "$DIR/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { $PORT }
c2s_direct_tls_ports = {}
s2s_ports = {}
http_ports = {}
https_ports = {}
network_backend = "epoll"
$gc
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_$AUTH"
$storage
sql = { driver = "SQLite3", database = "$DIR/prosody.sqlite" }
archive_expires_after = "never"
ssl = { certificate = "$DIR/cert.pem", key = "$DIR/key.pem" }
modules_enabled = {
    "roster"; "saslauth"; "tls"; "disco"; "ping"; "version";
    "carbons"; "smacks"; "offline"; "posix"; $module
}
modules_disabled = { "s2s" }
VirtualHost "localhost"
Component "conference.localhost" "muc"
CFG
    # Accounts in the internal store's format. Hashed accounts share one salt, which makes no
    # difference to the server.
    python3 - "$DIR/data/localhost/accounts" "$USERS" "$AUTH" <<'PY'
import hashlib, hmac, os, sys
where, users, auth = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(where, exist_ok=True)
if auth == "plain":
    text = 'return {\n\t["password"] = "pw";\n};\n'
else:
    salt, rounds = "0123456789abcdef", 10000
    salted = hashlib.pbkdf2_hmac("sha1", b"pw", salt.encode(), rounds)
    client = hmac.digest(salted, b"Client Key", "sha1")
    server = hmac.digest(salted, b"Server Key", "sha1")
    text = ('return {\n\t["iteration_count"] = %d;\n\t["salt"] = "%s";\n'
            '\t["stored_key"] = "%s";\n\t["server_key"] = "%s";\n};\n'
            % (rounds, salt, hashlib.sha1(client).hexdigest(), server.hex()))
for i in range(users):
    with open(f"{where}/user{i}.dat", "w") as f:
        f.write(text)
PY
fi
command="prosody -F --config $DIR/prosody.cfg.lua"
if [ "$START" = no ]; then echo "DIR=$DIR COMMAND=$command"; exit; fi
serve $command
