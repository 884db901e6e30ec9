#!/usr/bin/env bash
# Sees to it that claims find a volume: there is no provisioner here.
#
#   volumes.sh [FREE]   leaves at least FREE volumes (12) for claims to take
#
# A volume whose claim was deleted (Released) gets an empty folder and is
# Available again: what was in it is gone. Bound volumes are left alone.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

free=${1:-12}
[[ $free =~ ^[0-9]+$ ]] || die "volumes.sh: FREE must be a number of volumes, got $free"
if [[ $CLUSTER == current ]]; then
	say "CLUSTER=current: volumes are your cluster's business"
	exit
fi
need_root cluster-up

exec 8>"$RUN/volumes.lock"
flock 8

# phases: "NAME PHASE" of each of our volumes.
phases() { kc get pv -l "app.kubernetes.io/managed-by=$NAME" -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}'; }

# manifest NAME: the volume on folder volumes/NAME. Only root may write there
# until a pod's fsGroup opens it, as on a cloud's disk. The size is nominal.
manifest() {
	cat <<-YAML
		---
		apiVersion: v1
		kind: PersistentVolume
		metadata:
		  name: $1
		  labels: {app.kubernetes.io/managed-by: $NAME}
		spec:
		  capacity: {storage: 100Gi}
		  accessModes: [ReadWriteOnce]
		  persistentVolumeReclaimPolicy: Retain
		  storageClassName: local
		  local: {path: $CLUSTER_DIR/volumes/$1}
		  nodeAffinity:
		    required:
		      nodeSelectorTerms:
		      - matchExpressions:
		        - {key: kubernetes.io/hostname, operator: In, values: [$NODE]}
	YAML
}

known=$(phases)
mapfile -t make < <(awk '$2 == "Released" || $2 == "Failed" { print $1 }' <<<"$known")
((${#make[@]} == 0)) || kc delete pv "${make[@]}" >/dev/null
have=$(awk '$2 == "Available" || $2 == "Pending" { n++ } END { print n + 0 }' <<<"$known")

for ((i = 1; have + ${#make[@]} < free; i++)); do
	name=$(printf 'local-%03d' "$i")
	grep -q "^$name " <<<"$known" || make+=("$name")
done
((${#make[@]})) || exit 0
for name in "${make[@]}"; do
	rm -rf --one-file-system "$CLUSTER_DIR/volumes/$name"
	mkdir "$CLUSTER_DIR/volumes/$name"
done
for name in "${make[@]}"; do manifest "$name"; done | kc create -f - >/dev/null
say "${#make[@]} volumes made"
