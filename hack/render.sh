#!/usr/bin/env bash
# Prints the manifests of the operator (config/default) with the two images given.
# usage: KUSTOMIZE=path hack/render.sh OPERATOR_IMAGE RUNTIME_IMAGE      (name:tag or name@digest)
set -euo pipefail
operator_image=${1:?"usage: hack/render.sh OPERATOR_IMAGE RUNTIME_IMAGE"}
runtime_image=${2:?"usage: hack/render.sh OPERATOR_IMAGE RUNTIME_IMAGE"}
cd "$(dirname "$0")/.."

# Kustomize reads bases by relative path only, so the overlay lives inside the repository, in the ignored bin/.
mkdir -p bin
overlay=$(mktemp -d bin/overlay-XXXXXX)
trap 'rm -rf "$overlay"' EXIT
cat >"$overlay/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../config/default
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: handoff-operator
      namespace: handoff-system
    spec:
      template:
        spec:
          containers:
          - name: operator
            image: $operator_image
            env:
            - name: RUNTIME_IMAGE
              value: $runtime_image
YAML
"${KUSTOMIZE:-kustomize}" build "$overlay"
