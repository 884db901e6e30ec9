#!/usr/bin/env bash
# Brings the local Kubernetes up, or completes one that is partly up, and waits
# until pods run and reach the API server. See README.md.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$HERE/pki.sh"
source "$HERE/host.sh"

if [[ $CLUSTER == current ]]; then
	context=$(kc config current-context) || die "CLUSTER=current, but the kubeconfig has no current context"
	kc --request-timeout=15s get --raw /readyz >/dev/null || die "the cluster of context $context does not answer"
	say "using context $context: $(kc get --raw /version | jq -r .gitVersion)"
	exit
fi

SECONDS=0

prepare() {
	need_root cluster-up
	# Unix sockets below the folder must fit 107 bytes.
	((${#CLUSTER_DIR} <= 70)) || die "CLUSTER_DIR=$CLUSTER_DIR is longer than 70 characters, too long for sockets: set a shorter one"
	host_check
	"$ROOT/hack/deps.sh"
	"$ROOT/hack/k8s/build.sh" "$K8S_BIN" etcd kube-apiserver kubectl kubelet kube-controller-manager kube-scheduler kube-proxy
	BIN=$BIN REGISTRY=localhost VERSION=1 "$ROOT/hack/image/build.sh" hack/image/pause >/dev/null
	PAUSE=$(cat "$BIN/images/pause.ref")

	mkdir -p "$CLUSTER_DIR"/{etc/cni,pki,log,run,volumes,audit}
	chmod 700 "$CLUSTER_DIR/pki"
	exec 9>"$CLUSTER_DIR/.handoff-cluster"
	flock 9

	make_pki
	render containerd.toml "$CLUSTER_DIR/etc/containerd.toml"
	render cni.conflist "$CLUSTER_DIR/etc/cni/10-$NAME.conflist"
	render kubelet.yaml "$CLUSTER_DIR/etc/kubelet.yaml"
	render kube-proxy.yaml "$CLUSTER_DIR/etc/kube-proxy.yaml"
	render audit-policy.yaml "$CLUSTER_DIR/etc/audit-policy.yaml"
}

start_store() {
	start etcd "$K8S_BIN/etcd" --name="$NAME" --data-dir="$CLUSTER_DIR/etcd" --unsafe-no-fsync --log-level=warn \
		--listen-client-urls=http://127.0.0.1:12379 --advertise-client-urls=http://127.0.0.1:12379 \
		--listen-peer-urls=http://127.0.0.1:12380 --initial-advertise-peer-urls=http://127.0.0.1:12380 \
		--initial-cluster="$NAME=http://127.0.0.1:12380"
}

start_apiserver() {
	start kube-apiserver "$K8S_BIN/kube-apiserver" \
		--bind-address="$NODE_IP" --advertise-address="$NODE_IP" --secure-port=6443 \
		--etcd-servers=http://127.0.0.1:12379 --service-cluster-ip-range="$SERVICE_NET" \
		--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
		--client-ca-file="$PKI/ca.crt" --cert-dir="$PKI" \
		--tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
		--kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
		--kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key" \
		--service-account-issuer=https://kubernetes.default.svc.cluster.local \
		--service-account-key-file="$PKI/service-account.key" --service-account-signing-key-file="$PKI/service-account.key" \
		--audit-policy-file="$CLUSTER_DIR/etc/audit-policy.yaml" --audit-log-path="$CLUSTER_DIR/audit/audit.log" \
		--audit-log-maxsize=200 --audit-log-maxbackup=2 \
		--shutdown-delay-duration=0s
}

start_controllers() {
	start kube-controller-manager "$K8S_BIN/kube-controller-manager" --leader-elect=false --secure-port=0 \
		--kubeconfig="$CLUSTER_DIR/etc/kube-controller-manager.kubeconfig" --use-service-account-credentials \
		--service-account-private-key-file="$PKI/service-account.key" --root-ca-file="$PKI/ca.crt"
	start kube-scheduler "$K8S_BIN/kube-scheduler" --leader-elect=false --secure-port=0 \
		--kubeconfig="$CLUSTER_DIR/etc/kube-scheduler.kubeconfig"
}

start_node() {
	start kubelet "$K8S_BIN/kubelet" --config="$CLUSTER_DIR/etc/kubelet.yaml" --root-dir="$CLUSTER_DIR/kubelet" \
		--kubeconfig="$CLUSTER_DIR/etc/kubelet.kubeconfig" --cert-dir="$PKI" --hostname-override="$NODE" --node-ip="$NODE_IP"
	start kube-proxy "$K8S_BIN/kube-proxy" --config="$CLUSTER_DIR/etc/kube-proxy.yaml"
}

# A pod that dials the API server's ClusterIP: containerd, CNI, kubelet,
# scheduler, service accounts and kube-proxy all work when it succeeds.
check_pod() {
	kc delete pod cluster-check --ignore-not-found --now >/dev/null
	kc create -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: cluster-check, namespace: default}
		spec:
		  restartPolicy: OnFailure
		  automountServiceAccountToken: false
		  containers:
		  - name: dial
		    image: $PAUSE
		    imagePullPolicy: Never
		    args: [dial, "\${KUBERNETES_SERVICE_HOST}:\${KUBERNETES_SERVICE_PORT}"]
	YAML
	kc wait pod/cluster-check --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s >/dev/null || {
		kc describe pod cluster-check >&2
		die "a pod could not reach https://$API_IP: its description is above"
	}
	kc delete pod cluster-check --now >/dev/null
	touch "$RUN/checked"
}

prepare
host_up
start_store
start containerd "$(command -v containerd)" --config "$CLUSTER_DIR/etc/containerd.toml"
start_apiserver
eventually 30 "containerd answers" containerd ctr_ version
ctr_ images import "$BIN/images/pause.tar" >/dev/null
eventually 60 "the API server is ready" kube-apiserver kc get --raw /readyz
start_controllers
start_node
kc apply -f "$HERE/config/objects.yaml" >/dev/null
eventually 60 "node $NODE is Ready" kubelet kc wait node/"$NODE" --for=condition=Ready --timeout=10s
eventually 60 "the controller-manager makes service accounts" kube-controller-manager kc get serviceaccount default
"$HERE/volumes.sh"
[[ -e $RUN/checked ]] || check_pod
say "up in $SECONDS s: export KUBECONFIG=$CLUSTER_DIR/kubeconfig (logs in $LOG)"
