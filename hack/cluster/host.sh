# What the cluster changes on the machine itself, and how that is undone.
# Sourced after lib.sh.

# Settings that pods' networking needs, or that kubelet and kube-proxy write.
SYSCTLS=(net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.route_localnet
	vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# Where every kubelet listens for device plugins; it cannot be chosen.
KUBELET_SOCKET=/var/lib/kubelet/device-plugins/kubelet.sock

# kubelet_listens: whether a kubelet runs on this machine, outside of containers.
kubelet_listens() { grep -qF " $KUBELET_SOCKET" /proc/net/unix; }

# owner: the folder of the cluster that is up here, which its bridge carries as
# an alias; nothing when none is.
owner() { cat "/sys/class/net/$BRIDGE/ifalias" 2>/dev/null || true; }

# host_check refuses a machine that runs another cluster, before anything is changed.
host_check() {
	local owner
	owner=$(owner)
	[[ $owner == "$CLUSTER_DIR" ]] && return
	[[ -z $owner ]] ||
		die "another local cluster is up, with its state in $owner. Take it down first: make cluster-down CLUSTER_DIR=$owner"
	pid_of kubelet >/dev/null || ! kubelet_listens ||
		die "this machine is a node of a Kubernetes already: use that with CLUSTER=current"
}

host_up() {
	local setting
	if [[ -z $(owner) ]]; then
		[[ -e /proc/sys/net/bridge ]] || modprobe br_netfilter || die "the kernel has no br_netfilter, which Services need"
		[[ -e $CLUSTER_DIR/sysctl.before ]] || for setting in "${SYSCTLS[@]}"; do
			echo "$setting=$(sysctl -n "$setting" 2>/dev/null)"
		done | grep -v '=$' >"$CLUSTER_DIR/sysctl.before"
		# An address of its own: a bridge that takes its ports' changes it, and pods lose the gateway for a while.
		ip link add "$BRIDGE" address 02:00:0a:f4:00:01 type bridge
		ip link set "$BRIDGE" alias "$CLUSTER_DIR"
	fi
	sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
	ip addr replace "$NODE_IP/${POD_NET#*/}" dev "$BRIDGE"
	ip link set "$BRIDGE" up
	# Services also answer on a machine without a default route.
	ip route replace "$SERVICE_NET" dev "$BRIDGE" src "$NODE_IP"
}

# host_down undoes host_up, unless the machine has become another cluster's since.
host_down() {
	local owner family
	owner=$(owner)
	[[ -z $owner || $owner == "$CLUSTER_DIR" ]] || return 0
	for family in ip ip6; do
		! nft list table "$family" kube-proxy >/dev/null 2>&1 || nft delete table "$family" kube-proxy
	done
	! ip link show "$BRIDGE" >/dev/null 2>&1 || ip link delete "$BRIDGE"
	[[ ! -s $CLUSTER_DIR/sysctl.before ]] || sysctl -q -p "$CLUSTER_DIR/sysctl.before"
}
