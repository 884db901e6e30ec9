#!/usr/bin/env bash
# Builds Kubernetes and etcd binaries from their Go modules.
#
#   build.sh DIR NAME...   NAME: etcd kube-apiserver kube-controller-manager
#                          kube-scheduler kubelet kube-proxy kubectl
#   build.sh --version     prints the Kubernetes version, for naming DIR
#
# A binary in DIR that holds the pinned version is left alone. Two builds into
# the same DIR wait for each other. A cold build of kube-apiserver takes about
# five minutes on two cores, so a line every 20 s tells that it is alive.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# pinned DIR MODULE: the version of MODULE that the go.mod in DIR requires.
pinned() { awk -v m="$2" '$1 == "require" && $2 == m { print $3 } $1 == m && !/=>/ { print $2 }' "$1/go.mod" | head -1; }

kubernetes=$(pinned "$here" k8s.io/kubernetes)
etcd=$(pinned "$here/etcd" go.etcd.io/etcd/server/v3)

if [[ ${1:-} == --version ]]; then
	echo "${kubernetes#v}"
	exit
fi
(($# >= 2)) || {
	sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

mkdir -p "$1"
out=$(cd "$1" && pwd)
shift

# has FILE MODULE VERSION: whether FILE was built from that module version.
has() { [[ -x $1 ]] && go version -m "$1" 2>/dev/null | grep -qP "^\tmod\t\Q$2\E\t\Q$3\E(\t|$)"; }

# compile NAME MODULE_DIR PACKAGE LDFLAGS: go build with a sign of life; the
# binary appears under its name only when it is complete.
compile() {
	local name=$1 dir=$2 package=$3 ldflags=$4 start=$SECONDS build
	echo "building $name (cold: minutes; warm: seconds)"
	(cd "$dir" && CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off exec go build -ldflags="$ldflags" -o "$out/.$name.new" "$package") 9>&- &
	build=$!
	trap "kill $build 2>/dev/null" EXIT
	while sleep 1 && kill -0 "$build" 2>/dev/null; do
		(((SECONDS - start) % 20 != 0)) || echo "  ... $name still building, $((SECONDS - start)) s"
	done
	wait "$build" || {
		echo "building $name failed: the compiler's words are above" >&2
		return 1
	}
	trap - EXIT
	mv "$out/.$name.new" "$out/$name"
	echo "built $name in $((SECONDS - start)) s: $(du -m "$out/$name" | cut -f1) MB"
}

# The API server reports, and derives its compatibility from, this version.
stamp() {
	local path=k8s.io/component-base/version minor=${kubernetes#v1.}
	echo "-s -w -X $path.gitVersion=$kubernetes -X $path.gitMajor=1 -X $path.gitMinor=${minor%%.*} -X $path.gitTreeState=clean"
}

exec 9>"$out/.lock"
flock 9
for name in "$@"; do
	case $name in
	etcd)
		has "$out/etcd" go.etcd.io/etcd/server/v3 "$etcd" ||
			compile etcd "$here/etcd" go.etcd.io/etcd/server/v3 "-s -w"
		;;
	kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy | kubectl)
		has "$out/$name" k8s.io/kubernetes "$kubernetes" ||
			compile "$name" "$here" "k8s.io/kubernetes/cmd/$name" "$(stamp)"
		;;
	*)
		echo "build.sh: unknown binary $name" >&2
		exit 2
		;;
	esac
done
