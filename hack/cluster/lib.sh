# What the scripts of the local cluster share. Sourced, never run.
#
# From the caller's environment: CLUSTER (local or current), CLUSTER_DIR (the
# cluster's state), BIN (built programs), KUBECONFIG for CLUSTER=current.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
CLUSTER=${CLUSTER:-local}
BIN=${BIN:-$ROOT/bin}
CLUSTER_DIR=$(realpath -m "${CLUSTER_DIR:-$ROOT/.cluster}")
K8S_BIN=$BIN/k8s-$("$ROOT/hack/k8s/build.sh" --version)
PATH=$PATH:/usr/sbin:/sbin

NAME=handoff-local
NODE=local
BRIDGE=handoff0
POD_NET=10.244.0.0/24
NODE_IP=10.244.0.1
SERVICE_NET=10.96.0.0/16
API_IP=10.96.0.1
DNS_IP=10.96.0.10

RUN=$CLUSTER_DIR/run
LOG=$CLUSTER_DIR/log
COMPONENTS=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

say() { echo "cluster: $*"; }

die() {
	echo "cluster: $*" >&2
	exit 1
}

case $CLUSTER in
local | current) ;;
*) die "CLUSTER=$CLUSTER is neither local (a Kubernetes made here) nor current (the kube context that is there)" ;;
esac

# kc ARG...: kubectl as admin of the cluster in use.
kc() {
	if [[ $CLUSTER == current ]]; then
		kubectl "$@"
	else
		KUBECONFIG=$CLUSTER_DIR/kubeconfig "$K8S_BIN/kubectl" "$@"
	fi
}

# ctr_ ARG...: containerd's client on the cluster's own socket.
ctr_() { ctr --address "$RUN/containerd.sock" --namespace k8s.io "$@"; }

need_root() { ((EUID == 0)) || die "$1 needs root: sudo make $1, or use a cluster of your own with CLUSTER=current"; }

# born PID: when the process started, in the kernel's ticks; fails when it is gone.
born() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	[[ $stat != Z* ]] && cut -d' ' -f20 <<<"$stat"
}

# pid_of NAME: the component's process. The start time beside it in the file
# tells it from a stranger that got its number later.
pid_of() {
	local pid ticks
	read -r pid ticks 2>/dev/null <"$RUN/$1.pid" && [[ $(born "$pid") == "$ticks" ]] && echo "$pid"
}

# start NAME COMMAND...: runs COMMAND on its own, unless NAME runs already.
start() {
	local name=$1 pid
	shift
	pid_of "$name" >/dev/null && return
	say "starting $name"
	setsid env -i PATH="$PATH" HOME="$CLUSTER_DIR" "$@" >>"$LOG/$name.log" 2>&1 </dev/null 9>&- &
	pid=$!
	echo "$pid $(born "$pid")" >"$RUN/$name.pid"
	rm -f "$RUN/checked"
}

# stop NAME SECONDS: asks the component to end, and insists after SECONDS.
stop() {
	local name=$1 pid deadline=$((SECONDS + $2))
	if pid=$(pid_of "$name"); then
		kill -TERM "$pid"
		while pid_of "$name" >/dev/null; do
			((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
			sleep 0.1
		done
	fi
	rm -f "$RUN/$name.pid"
}

# eventually SECONDS WHAT LOGNAME COMMAND...: retries COMMAND until it succeeds.
eventually() {
	local deadline=$((SECONDS + $1)) what=$2 log=$LOG/$3.log
	shift 3
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || {
			tail -n 15 "$log" >&2 || true
			die "gave up waiting: $what. The end of $log is above; make cluster-down starts over"
		}
		sleep 0.2
	done
}

# render TEMPLATE FILE: fills the @NAMES@ of a file of config/. A file that is
# there stays: kube-proxy ends when its configuration is written.
render() {
	[[ -e $2 ]] || sed -e "s|@DIR@|$CLUSTER_DIR|g; s|@PAUSE@|${PAUSE:-}|g; s|@NAME@|$NAME|g; s|@NODE@|$NODE|g" \
		-e "s|@BRIDGE@|$BRIDGE|g; s|@POD_NET@|$POD_NET|g; s|@NODE_IP@|$NODE_IP|g; s|@DNS_IP@|$DNS_IP|g" \
		"$HERE/config/$1" >"$2"
}
