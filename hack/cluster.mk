# The local Kubernetes, the images that run in it, and the control plane of
# envtest. hack/cluster/README.md explains what runs and where its logs are.

BIN     ?= $(CURDIR)/bin
CLUSTER ?= local

K8S_VERSION := $(shell hack/k8s/build.sh --version)
K8S_BIN     := $(BIN)/k8s-$(K8S_VERSION)

KUBEBUILDER_ASSETS ?= $(K8S_BIN)

##@ Cluster

.PHONY: envtest-assets
envtest-assets: ## Build etcd, kube-apiserver and kubectl into bin/k8s-*, once (about 7 minutes cold).
	@hack/k8s/build.sh '$(K8S_BIN)' etcd kube-apiserver kubectl
