#!/usr/bin/env bash
# Brings the images of BIN/images to the cluster in use.
#
#   load.sh NAME...   e.g. operator runtime
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# push NAME...: to the registry that the images are named for.
push() {
	local name
	for name in "$@"; do
		"$BIN/images/.image" push "$BIN/images/$name.tar" "$(cat "$BIN/images/$name.ref")"
	done
}

# explain NAME...: how images get into somebody's own cluster.
explain() {
	local context archives=("${@/%/.tar}")
	context=$(kc config current-context) || die "CLUSTER=current, but the kubeconfig has no current context"
	archives=("${archives[@]/#/$BIN/images/}")
	say "context $context is not ours to load images into. Depending on what it is:"
	printf '  kind:      kind load image-archive %s\n' "$(printf '%s --name <cluster>; ' "${archives[@]}")"
	cat <<-TEXT
		  k3d:       k3d image import --cluster <cluster> ${archives[*]}
		  minikube:  minikube image load <each of ${archives[*]}>
		  registry:  make image-load CLUSTER=current REGISTRY=<host>/<path>, which pushes there
	TEXT
}

import() {
	local name ref present
	[[ -e $CLUSTER_DIR/kubeconfig ]] || die "not up: make cluster-up"
	need_root image-load
	present=$(ctr_ images list -q)
	for name in "$@"; do
		ref=$(cat "$BIN/images/$name.ref")
		if grep -qxF "$ref" <<<"$present"; then
			say "$ref is there"
		else
			ctr_ images import "$BIN/images/$name.tar" >/dev/null
			say "$ref imported"
		fi
	done
}

if [[ ${REGISTRY:-localhost} != localhost ]]; then
	push "$@"
elif [[ $CLUSTER == current ]]; then
	explain "$@"
else
	import "$@"
fi
