#!/usr/bin/env bash
# Shows what runs, as processes and as the API server sees it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ $CLUSTER == local ]]; then
	[[ -e $CLUSTER_DIR/kubeconfig ]] || die "not up (no $CLUSTER_DIR/kubeconfig): make cluster-up"
	for name in "${COMPONENTS[@]}"; do
		printf '%-24s %s\n' "$name" "$(pid_of "$name" || echo "not running: see $LOG/$name.log")"
	done
	echo "KUBECONFIG=$CLUSTER_DIR/kubeconfig"
fi
kc version
kc get nodes -o wide
kc get pods -A -o wide
kc get pv
