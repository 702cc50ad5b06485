#!/usr/bin/env bash
# Runs a fuzz target for FUZZ_SECONDS, by default an hour, beginning with its corpus.
#
# usage: fuzz/run.sh TARGET [OPTION OF libFuzzer…]
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
shift
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
# Inputs that reach more code go to the first folder.
mkdir -p "fuzz/found/$target"
cargo fuzz run -s none "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- \
    -max_total_time="${FUZZ_SECONDS:-3600}" -max_len=4096 -timeout=20 -rss_limit_mb=1024 "$@"
