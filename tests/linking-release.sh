#!/bin/sh
# Runs the linking tests on release builds with LTO, for .ci/run.
set -eu
cd "$(dirname "$0")/.."
SPONDEE_LINKING_PROFILE=release cargo test --package spondee-tests --test linking
