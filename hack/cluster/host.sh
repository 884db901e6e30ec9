# What the cluster changes on the machine itself, and how that is undone.
# Sourced after lib.sh.

# Settings that pods' networking needs, or that kubelet and kube-proxy write.
SYSCTLS=(net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.conf.all.route_localnet
	vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# Where every kubelet listens for device plugins; it cannot be chosen.
KUBELET_SOCKET=/var/lib/kubelet/device-plugins/kubelet.sock

# kubelet_listens: whether a kubelet runs on this machine, outside of containers.
kubelet_listens() { grep -qF " $KUBELET_SOCKET" /proc/net/unix; }

host_up() {
	local owner setting
	# The bridge carries the folder of the cluster it belongs to.
	if ip link show "$BRIDGE" >/dev/null 2>&1; then
		owner=$(cat "/sys/class/net/$BRIDGE/ifalias")
		[[ $owner == "$CLUSTER_DIR" ]] ||
			die "another local cluster is up, with its state in $owner. Take it down first: make cluster-down CLUSTER_DIR=$owner"
	else
		! kubelet_listens || die "this machine is a node of a Kubernetes already: use that with CLUSTER=current"
		[[ -e /proc/sys/net/bridge ]] || modprobe br_netfilter || die "the kernel has no br_netfilter, which Services need"
		for setting in "${SYSCTLS[@]}"; do
			echo "$setting=$(sysctl -n "$setting" 2>/dev/null)"
		done | grep -v '=$' >"$CLUSTER_DIR/sysctl.before"
		ip link add "$BRIDGE" type bridge
		ip link set "$BRIDGE" alias "$CLUSTER_DIR"
	fi
	sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
	ip addr replace "$NODE_IP/${POD_NET#*/}" dev "$BRIDGE"
	ip link set "$BRIDGE" up
	# Services also answer on a machine without a default route.
	ip route replace "$SERVICE_NET" dev "$BRIDGE" src "$NODE_IP"
}

host_down() {
	local family
	for family in ip ip6; do
		! nft list table "$family" kube-proxy >/dev/null 2>&1 || nft delete table "$family" kube-proxy
	done
	! ip link show "$BRIDGE" >/dev/null 2>&1 || ip link delete "$BRIDGE"
	[[ ! -s $CLUSTER_DIR/sysctl.before ]] || sysctl -q -p "$CLUSTER_DIR/sysctl.before"
}
