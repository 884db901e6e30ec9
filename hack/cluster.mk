# The local Kubernetes, the images that run in it, and the control plane of
# envtest. hack/cluster/README.md explains what runs and where its logs are.

BIN         ?= $(CURDIR)/bin
CLUSTER     ?= local
CLUSTER_DIR ?= $(CURDIR)/.cluster
REGISTRY    ?= localhost
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

K8S_BIN            := $(BIN)/k8s-$(shell hack/k8s/build.sh --version)
KUBEBUILDER_ASSETS ?= $(K8S_BIN)

export BIN CLUSTER CLUSTER_DIR REGISTRY VERSION

# On the local cluster, whatever the caller's kube context is.
ifeq ($(CLUSTER),local)
KUBECTL = $(K8S_BIN)/kubectl
export KUBECONFIG = $(CLUSTER_DIR)/kubeconfig
endif

# The images that `make images` built last; their tags follow their content.
OPERATOR_IMAGE ?= $(shell cat $(BIN)/images/operator.ref 2>/dev/null)
RUNTIME_IMAGE  ?= $(shell cat $(BIN)/images/runtime.ref 2>/dev/null)

##@ Cluster

.PHONY: envtest-assets
envtest-assets: ## Build etcd, kube-apiserver and kubectl into bin/k8s-*, once (about 7 minutes cold on 2 cores).
	@hack/k8s/build.sh '$(K8S_BIN)' etcd kube-apiserver kubectl

.PHONY: cluster-up
cluster-up: ## Start a real Kubernetes on this machine (root, Debian), or complete it; CLUSTER=current only checks yours.
	@hack/cluster/up.sh

.PHONY: cluster-down
cluster-down: ## Stop the local Kubernetes and remove all of it; CLUSTER=current does nothing.
	@hack/cluster/down.sh

.PHONY: cluster-status
cluster-status: ## Show the cluster's processes, node, pods and volumes.
	@hack/cluster/status.sh

.PHONY: images
images: ## Build the images of operator and runtime into bin/images/, FROM nothing; REGISTRY=host/path names them for a registry.
	@hack/image/build.sh cmd/operator cmd/runtime

.PHONY: image-load
image-load: images ## Bring the images to the cluster: imported locally, pushed with REGISTRY, else told how.
	@hack/cluster/load.sh operator runtime
