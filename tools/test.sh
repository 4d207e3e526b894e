#!/bin/sh
# SPDX-License-Identifier: MIT
# `make test`: installs what is missing, builds everything, runs every test in parallel.
#
#   tools/test.sh MAKE JOBS PYTEST...
#
# Whatever happens, it ends, and its last line of output is "N passed, N failed[, N skipped]".
set -u

make=$1
jobs=$2
shift 2
seconds=840

broken() {
    echo "make test: $1, so nothing was tested" >&2
    echo "0 passed, 1 failed"
    exit 1
}

cd "$(dirname "$0")/.." || exit 1
tools/packages.sh || broken "packages are missing"
"$make" --no-print-directory -j"$jobs" test-build || broken "the build failed"

# An interrupt makes pytest report what it has; every test has a shorter time-out of its own.
# The slowest first.
timeout --foreground -s INT -k 30 "$seconds" \
    "$@" test/checks test/integration test/unit test/driver
status=$?
case $status in
124 | 137) echo "make test: the tests took longer than $seconds seconds" >&2 ;;
esac
[ "$status" -ne 137 ] || echo "0 passed, 1 failed"
exit "$status"
