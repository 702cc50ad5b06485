#!/usr/bin/env bash
# Packages the crates that are published, and builds each of them from its package. A warning fails.
set -euo pipefail
cd "$(dirname "$0")/.."
crates=(event-catalogue event-macros xmpp-xml event-core spondee-modules spondee)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The changes of a working tree are packaged too.
cargo package --offline --allow-dirty "${crates[@]/#/--package=}" 2>&1 | tee "$log"
if grep '^warning' "$log"; then exit 1; fi
for crate in "${crates[@]}"; do
    for file in README.md LICENSE-MIT LICENSE-APACHE; do
        tar -tf target/package/"$crate"-[0-9]*.crate | grep "/$file\$" >/dev/null ||
            { echo "the package of $crate has no $file" >&2; exit 1; }
    done
done
