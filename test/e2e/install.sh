#!/usr/bin/env bash
# Install the Debian packages named, those that are not there yet: install.sh etcd-server etcd-client
#
# Tests that need a real server call it through install.ts, several at a time; one after another gets to apt-get. What
# the packages would start as services is not started: a test starts its own. Needs root.
set -euo pipefail
[ $# -gt 0 ] || { echo 'usage: install.sh PACKAGE...' >&2; exit 64; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing() {
  for package in "$@"; do
    is_installed "$package" || echo "$package"
  done
}

mapfile -t wanted < <(missing "$@")
[ ${#wanted[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || { echo "root is needed to install ${wanted[*]}" >&2; exit 77; }

exec 9>/run/lock/dlm-e2e-install
flock 9
mapfile -t wanted < <(missing "$@")
[ ${#wanted[@]} -gt 0 ] || exit 0

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
# The lists may be missing, or name files that are no longer there.
install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${wanted[@]}" >&2 9>&-; }
apt-cache show --no-all-versions "${wanted[@]}" >/dev/null 2>&1 || apt-get update >&2 9>&-
install || { apt-get update >&2 9>&- && install; }
