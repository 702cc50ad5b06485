# Shared by the peer scripts. Variables the caller may set:
#   DIR    the folder for all files (default: a fresh temp folder)
#   USERS  accounts user0.. with password "pw" (default 2000)
#   KEY    ec | rsa: kind of the self-signed certificate (default ec)
#   START  no: only provision, print DIR= and, if the peer has one, COMMAND=
#   REUSE  yes: start again in an existing DIR
: "${USERS:=2000}" "${KEY:=ec}" "${START:=yes}" "${REUSE:=no}"
: "${DIR:=$(mktemp -d)}"
mkdir -p "$DIR"
ulimit -n "$(ulimit -Hn)"

certificate() { # writes $DIR/cert.pem and $DIR/key.pem
    local kind="ec -pkeyopt ec_paramgen_curve:P-256"
    [ "$KEY" = rsa ] && kind="rsa:2048"
    # shellcheck disable=SC2086
    openssl req -x509 -newkey $kind -nodes -days 30 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost \
        -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() { # free_port PORT: fails if another server uses the port
    if listens "$1"; then echo "port $1 is taken" >&2; return 1; fi
}

wait_port() { # wait_port PORT PID
    for _ in $(seq 300); do
        listens "$1" && return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server did not start; see $DIR" >&2
    return 1
}

serve() { # serve COMMAND...: starts a server, waits until it listens, prints where it is
    free_port "$PORT"
    "$@" > "$DIR/out.log" 2>&1 < /dev/null &
    local pid=$!
    wait_port "$PORT" "$pid"
    echo "PID=$pid DIR=$DIR PORT=$PORT"
}

stop() { # stop PID: sends SIGTERM, and SIGKILL after 10 seconds
    kill "$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$1"
}
