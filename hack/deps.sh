#!/usr/bin/env bash
# Installs the Debian packages that the local Kubernetes needs, and says which.
# Does nothing, quickly and without root, when all are there.
#
#   deps.sh [COMMAND=PACKAGE...]   more needs, e.g. gcc=gcc for go test -race
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin

# A command, or the path of a file, that is there when the package is.
missing=()
for need in containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins nft=nftables \
	ip=iproute2 openssl=openssl jq=jq sysctl=procps flock=util-linux "$@"; do
	command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
done
((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null || ((EUID != 0)); then
	echo "deps.sh: missing here: ${missing[*]}. Install them as root on Debian or Ubuntu, or use a cluster of your own: CLUSTER=current" >&2
	exit 1
fi

echo "installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null; }

# A fresh machine has no package lists, or stale ones: fetched only then.
if ! install >"$log" 2>&1 && ! { apt-get update -qq && install; } >>"$log" 2>&1; then
	cat "$log" >&2
	echo "deps.sh: apt-get could not install ${missing[*]}: its words are above" >&2
	exit 1
fi
echo "installed: ${missing[*]}"
