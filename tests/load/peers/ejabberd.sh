#!/bin/bash
# Starts ejabberd for a test: writes a config and a certificate to a temp folder,
# provisions the accounts in a separate run, starts the server without a
# distribution port and prints PID=, DIR=, PORT=.
#   ejabberd.sh               start            ejabberd.sh stop PID
# Further variables: PORT (25222), AUTH (hashed | plain: how passwords are
#   stored; SCRAM keys have ejabberd's own 4096 iterations), MAM (no | mnesia |
#   sql), BACKLOG (1000; ejabberd's own default, 5, stalls bursts of logins),
#   ERL_EXTRA (more emulator flags, such as "+sbwt none")
set -eu
. "$(dirname "$0")/common.sh"
if [ "${1:-}" = stop ]; then stop "$2"; exit; fi
: "${PORT:=25222}" "${AUTH:=hashed}" "${MAM:=no}" "${ERL_EXTRA:=}" "${BACKLOG:=1000}"

export EJABBERD_CONFIG_PATH="$DIR/ejabberd.yml" EJABBERD_LOG_PATH="$DIR/ejabberd.log"
export ERL_CRASH_DUMP="$DIR/crash.dump" ERL_CRASH_DUMP_BYTES=0
ERL_LIBS=$(echo /usr/lib/*-linux-gnu) # where Debian keeps its Erlang libraries
export ERL_LIBS ERL_MAX_PORTS=32000 ERL_MAX_ETS_TABLES=1400 HOME="$DIR"
erl_run() { # the flags of Debian's ejabberdctl, without the distribution
    # shellcheck disable=SC2086
    exec erl -noinput +K true +P 250000 $ERL_EXTRA -mnesia dir "\"$DIR/db\"" -s ejabberd "$@"
}

if [ "$REUSE" = no ]; then
    certificate
    cat "$DIR/key.pem" "$DIR/cert.pem" > "$DIR/both.pem"
    format=plain; [ "$AUTH" = hashed ] && format=scram
    {
        cat <<CFG
loglevel: warning
log_rotate_count: 0
hosts:
  - localhost
certfiles:
  - "$DIR/both.pem"
auth_password_format: $format
listen:
  -
    port: $PORT
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    backlog: $BACKLOG
    shaper: none
    access: all
    starttls: true
acl:
  local:
    user_regexp: ""
access_rules:
  local:
    allow: local
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: 100
modules:
  mod_adhoc: {}
  mod_carboncopy: {}
  mod_disco: {}
  mod_muc:
    access_create: local
    max_users: 5000
    user_message_shaper: none
    user_presence_shaper: none
    room_shaper: none
    default_room_options:
      max_users: 5000
  mod_offline: {}
  mod_ping: {}
  mod_roster: {}
  mod_stream_mgmt: {}
  mod_version: {}
CFG
        if [ "$MAM" != no ]; then
            printf '  mod_mam:\n    db_type: %s\n    default: always\n    assume_mam_usage: true\n' "$MAM"
        fi
        if [ "$MAM" = sql ]; then
            printf 'sql_type: sqlite\nsql_database: "%s/ejabberd.sqlite"\n' "$DIR"
            sqlite3 "$DIR/ejabberd.sqlite" < /usr/share/ejabberd/sql/lite.sql >&2
        fi
    } > "$DIR/ejabberd.yml"
    # Stores the accounts with the server's register function.
    cat > "$DIR/provision.erl" <<ERL
-module(provision).
-export([go/1]).
go([N]) ->
    ready(),
    [ok = ejabberd_auth:try_register(<<"user", (integer_to_binary(I))/binary>>,
        <<"localhost">>, <<"pw">>) || I <- lists:seq(0, list_to_integer(N) - 1)],
    init:stop().
ready() ->
    case lists:keymember(ejabberd, 1, application:which_applications()) of
        true -> ok;
        false -> timer:sleep(50), ready()
    end.
ERL
    (cd "$DIR" && erlc provision.erl)
    (erl_run -pa "$DIR" -run provision go "$USERS") > "$DIR/provision.log" 2>&1 < /dev/null
fi
if [ "$START" = no ]; then echo "DIR=$DIR"; exit; fi
serve erl_run
