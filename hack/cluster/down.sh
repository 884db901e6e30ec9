#!/usr/bin/env bash
# Takes the local Kubernetes down and removes everything of it: processes,
# containers, mounts, namespaces, interfaces, rules, settings and its folder.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$HERE/host.sh"

if [[ $CLUSTER == current ]]; then
	say "CLUSTER=current: the cluster is yours, nothing is taken down"
	exit
fi
[[ -e $CLUSTER_DIR/.handoff-cluster ]] || {
	say "nothing to take down in $CLUSTER_DIR"
	exit
}
need_root cluster-down

# no_tasks ends every container's process. One may end by itself between the list and the deletion, which ctr calls an
# error; what counts is that none is left.
no_tasks() {
	local ids
	mapfile -t ids < <(ctr_ tasks list -q)
	((${#ids[@]} == 0)) || ctr_ tasks delete --force "${ids[@]}" >/dev/null 2>&1 || true
	[[ -z $(ctr_ tasks list -q) ]]
}

# Pods' containers outlive containerd, so it has to run to be rid of them.
remove_containers() {
	local id netns ids
	start containerd "$(command -v containerd)" --config "$CLUSTER_DIR/etc/containerd.toml"
	eventually 30 "containerd answers" containerd ctr_ version
	eventually 30 "the containers end" containerd no_tasks
	mapfile -t ids < <(ctr_ containers list -q)
	for id in "${ids[@]}"; do
		# A sandbox alone names its network namespace, which takes its interface along.
		netns=$(ctr_ containers info "$id" | jq -r '.Spec.linux.namespaces[]? | select(.type == "network").path // empty')
		if [[ $netns == */netns/cni-* && -e $netns ]]; then
			umount -l "$netns" 2>/dev/null || true
			rm -f "$netns"
		fi
		rm -f /var/lib/cni/results/*-"$id"-*
	done
	((${#ids[@]} == 0)) || ctr_ containers delete "${ids[@]}" >/dev/null
}

# unmount_below FOLDER: deepest first.
unmount_below() {
	local point
	while point=$(awk -v d="$1/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts | sort -r | head -n 1) && [[ -n $point ]]; do
		umount -l "$(printf '%b' "$point")"
	done
}

# Folders that containerd, CNI and kubelet make at places that cannot be chosen:
# removed unless somebody else keeps something there.
remove_traces() {
	find /var/log/containers -lname "$CLUSTER_DIR/*" -delete 2>/dev/null || true
	kubelet_listens || rm -f "$KUBELET_SOCKET"
	rmdir /var/log/containers /run/netns /var/lib/cni/results /var/lib/cni /var/lib/kubelet/device-plugins /var/lib/kubelet \
		/run/containerd/runc/k8s.io /run/containerd/runc /run/containerd/s /run/containerd \
		/sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io 2>/dev/null || true
}

exec 9>"$CLUSTER_DIR/.handoff-cluster"
flock 9
for name in kubelet kube-proxy kube-scheduler kube-controller-manager; do
	stop "$name" 10
done
[[ ! -d $CLUSTER_DIR/containerd ]] || remove_containers
stop containerd 10
stop kube-apiserver 3
stop etcd 10
unmount_below "$CLUSTER_DIR"
host_down
remove_traces
rm -rf --one-file-system "$CLUSTER_DIR"
say "down, nothing is left of it (Debian packages and $BIN stay)"
