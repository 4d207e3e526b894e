#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages of tools/packages.txt that are missing. Quick and silent when all are
# there, so every make runs it. Needs only sh and dpkg.
#
#   tools/packages.sh           install what is missing: as root, or with sudo (which may ask for a
#                               password on a terminal); else print the one command and fail
#   tools/packages.sh missing   only print what is missing, one package a line; installs nothing
set -eu

list=$(dirname "$0")/packages.txt

wanted() {
    sed -e 's/#.*//' "$list"
}

# dpkg-query complains of names that it never heard of and answers nothing for them.
missing() {
    # shellcheck disable=SC2046 # the names are words
    installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package}\n' $(wanted) 2>/dev/null |
        sed -n 's/^installed://p' | tr '\n' ' ') "
    for package in $(wanted); do
        case $installed in
        *" $package "*) ;;
        *) echo "$package" ;;
        esac
    done
}

# The package lists of a new machine may be empty or stale: get fresh ones only if they do not do.
install() {
    export DEBIAN_FRONTEND=noninteractive
    as_root=$1
    shift
    apt_install="$as_root apt-get install -y --no-install-recommends"
    # What comes on standard input is for whatever make runs next (`make shell`).
    exec </dev/null
    if $apt_install --dry-run "$@" >/dev/null 2>&1 && $apt_install "$@"; then
        return
    fi
    $as_root apt-get update
    $apt_install "$@"
}

can_sudo() {
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }
}

if ! command -v dpkg-query >/dev/null; then
    echo "make: no dpkg here, so nothing was checked; tools/packages.txt lists what is needed" >&2
    exit 0
fi

needed=$(missing | tr '\n' ' ')
if [ "${1:-}" = missing ]; then
    missing
elif [ -z "$needed" ]; then
    exit 0
elif [ "$(id -u)" -eq 0 ]; then
    echo "Installing: $needed"
    install "" $needed
elif can_sudo; then
    echo "Installing with sudo: $needed"
    install "sudo DEBIAN_FRONTEND=noninteractive" $needed
else
    echo "Packages are missing. Run this as root, then make again:" >&2
    echo "    apt-get update && apt-get install -y --no-install-recommends $needed" >&2
    exit 1
fi
