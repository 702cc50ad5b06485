#!/usr/bin/env bash
# Compile time of `#[hook]`: 1,000 hooks compared with the same 1,000 functions without it.
#
# usage: tests/hook-cost.sh [RUNS]
#
# The crate is in a temporary folder; its dependencies are built in this repository's target folder
# before the measurement. Fails when a hook takes more processor time than these milliseconds:
declare -A target_ms=([check]=1.2 [build]=2.5)
set -euo pipefail

runs=${1:-5}
hooks=1000
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
crate=$(mktemp -d)
trap 'rm -rf "$crate"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$repo/target} CARGO_INCREMENTAL=0

# The repository's versions and profiles, so that its build artifacts are used.
cp "$repo/Cargo.lock" "$crate/"
mkdir "$crate/src"
{
    printf '[package]\nname = "hook-cost"\nversion = "0.0.0"\nedition = "2024"\n\n'
    printf '[dependencies]\nevent-core = { path = "%s/event-core" }\n\n[workspace]\n\n' "$repo"
    sed -n '/^\[profile\.dev/,/^$/p' "$repo/Cargo.toml"
} >"$crate/Cargo.toml"

# Known elements that are asked for and set, because the names are looked up.
elements=(
    http://jabber.org/protocol/bytestreams:query
    http://jabber.org/protocol/disco#info:query
    http://jabber.org/protocol/muc#admin:query
    http://jabber.org/protocol/muc#owner:query
    http://jabber.org/protocol/pubsub#owner:pubsub
    jabber:iq:auth:query
    jabber:iq:gateway:query
    jabber:iq:privacy:query
    jabber:iq:private:query
    jabber:iq:register:query
    jabber:iq:roster:query
    jabber:iq:search:query
    urn:xmpp:extdisco:2:services
    urn:xmpp:jingle:1:jingle
    urn:xmpp:mam:2:prefs
    urn:xmpp:mam:2:query
    vcard-temp:vCard
)

# Half of the handlers answer iq requests, some are async, most take the context.
generate() {
    local hook=$1 i element
    printf '#![allow(missing_docs)]\nuse event_core::prelude::*;\n#[module]\npub struct Cost {\n    pub on: bool,\n}\n'
    for ((i = 0; i < hooks; i++)); do
        element=${elements[i % ${#elements[@]}]}
        case $((i % 4)) in
        0)
            [[ $hook ]] && printf '#[hook("iq-get/host/%s", priority = %d)]\n' "$element" "$i"
            printf 'pub fn answer_%d(iq: &mut Iq, cx: &Context<Cost>) -> Result<Reply, StanzaError> {\n    if cx.on { Ok(iq.reply()) } else { Err(StanzaError::forbidden()) }\n}\n' "$i"
            ;;
        1)
            [[ $hook ]] && printf '#[hook("message/bare", priority = %d)]\n' "$i"
            printf 'pub async fn change_%d(_: &mut Message, cx: &Context<Cost>) -> Flow {\n    if cx.on { Flow::Continue } else { Flow::Handled }\n}\n' "$i"
            ;;
        2)
            [[ $hook ]] && printf '#[hook("presence/bare")]\n'
            printf 'pub fn look_%d(_: &Presence, cx: &Context<Cost>) {\n    let _ = cx.on;\n}\n' "$i"
            ;;
        3)
            [[ $hook ]] && printf '#[hook("iq-set/bare/%s")]\n' "$element"
            printf 'pub fn set_%d(iq: &mut Iq) -> Reply {\n    iq.reply()\n}\n' "$i"
            ;;
        esac
    done
}

# Processor time instead of wall-clock time, so that other work on the machine does not count.
milliseconds() {
    touch "$crate/src/lib.rs"
    local TIMEFORMAT='%U %S' times
    times=$({ time cargo "$1" --quiet --offline --manifest-path "$crate/Cargo.toml" >&2; } 2>&1)
    awk '{ print int(($1 + $2) * 1000) }' <<<"${times##*$'\n'}"
}

median() {
    sort -n | sed -n "$(((runs + 1) / 2))p"
}

# Prints the median for one command with and without hooks, in alternating runs.
measure() {
    local run
    : >"$crate/plain.ms"
    : >"$crate/hooked.ms"
    for ((run = 0; run < runs; run++)); do
        for kind in plain hooked; do
            cp "$crate/$kind.rs" "$crate/src/lib.rs"
            milliseconds "$1" >>"$crate/$kind.ms"
        done
    done
    echo "$(median <"$crate/plain.ms") $(median <"$crate/hooked.ms")"
}

generate '' >"$crate/plain.rs"
generate yes >"$crate/hooked.rs"
cp "$crate/hooked.rs" "$crate/src/lib.rs"
cargo check --quiet --manifest-path "$crate/Cargo.toml"
cargo build --quiet --manifest-path "$crate/Cargo.toml"

verdict=0
for command in check build; do
    read -r plain hooked <<<"$(measure "$command")"
    awk -v command="$command" -v plain="$plain" -v hooked="$hooked" -v hooks="$hooks" \
        -v target="${target_ms[$command]}" 'BEGIN {
            each = (hooked - plain) / hooks
            printf "cargo %s: %d ms without, %d ms with %d hooks: %.2f ms a hook, target %s ms %s\n",
                command, plain, hooked, hooks, each, target, each <= target ? "met" : "missed"
            exit each > target
        }' || verdict=1
done
exit "$verdict"
