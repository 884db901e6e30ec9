# Certificates and kubeconfigs of the local cluster. Sourced by up.sh after
# lib.sh; every file is made once and kept.

PKI=$CLUSTER_DIR/pki

# certificate NAME SUBJECT USAGE [SAN]: a key and a certificate of our CA.
# USAGE is clientAuth or serverAuth; SAN is in openssl's spelling.
certificate() {
	local name=$1 subject=$2 usage=$3 san=${4:-}
	[[ -s $PKI/$name.crt ]] && return
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
		-keyout "$PKI/$name.key" -out "$PKI/$name.csr" 2>/dev/null
	openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 \
		-extfile <(printf 'keyUsage=digitalSignature\nextendedKeyUsage=%s\n%s\n' "$usage" "${san:+subjectAltName=$san}") \
		-out "$PKI/$name.crt.new" 2>/dev/null
	mv "$PKI/$name.crt.new" "$PKI/$name.crt"
	rm "$PKI/$name.csr"
}

# kubeconfig FILE NAME: a kubeconfig that carries the client certificate NAME.
kubeconfig() {
	local file=$1 name=$2
	install -m 600 /dev/stdin "$file.new" <<-YAML
		apiVersion: v1
		kind: Config
		clusters:
		- name: $NAME
		  cluster:
		    server: https://$NODE_IP:6443
		    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
		users:
		- name: $name
		  user:
		    client-certificate-data: $(base64 -w0 "$PKI/$name.crt")
		    client-key-data: $(base64 -w0 "$PKI/$name.key")
		contexts:
		- name: $NAME
		  context: {cluster: $NAME, user: $name}
		current-context: $NAME
	YAML
	mv "$file.new" "$file"
}

make_pki() {
	local client
	if [[ ! -s $PKI/ca.crt ]]; then
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$NAME-ca" \
			-addext keyUsage=critical,digitalSignature,keyCertSign -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
	fi
	[[ -s $PKI/service-account.key ]] ||
		openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/service-account.key"

	certificate apiserver /CN=kube-apiserver serverAuth \
		"IP:$NODE_IP,IP:$API_IP,IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
	certificate kubelet-serving "/O=system:nodes/CN=system:node:$NODE" serverAuth "IP:$NODE_IP,DNS:$NODE"
	certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
	certificate admin /O=system:masters/CN=admin clientAuth
	certificate kubelet "/O=system:nodes/CN=system:node:$NODE" clientAuth
	for client in kube-controller-manager kube-scheduler kube-proxy; do
		certificate "$client" "/CN=system:$client" clientAuth
	done
	for client in kubelet kube-controller-manager kube-scheduler kube-proxy; do
		kubeconfig "$CLUSTER_DIR/etc/$client.kubeconfig" "$client"
	done
	kubeconfig "$CLUSTER_DIR/kubeconfig" admin
}
