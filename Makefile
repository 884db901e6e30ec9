# Tasks of handoff-operator. `make` alone lists them; hack/*.mk holds the tools and the local Kubernetes.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN ?= $(CURDIR)/bin
PKG ?= ./...
RUN ?=
LIMIT ?= 0
CUSTOMERS ?= 200
RACE ?=

include $(sort $(wildcard hack/*.mk))

# hack/cluster.mk sets it for the local cluster, and OPERATOR_IMAGE and RUNTIME_IMAGE to what `make images` built last.
KUBECTL ?= kubectl

# The flags of the images' build, so that both share what the compiler cached.
GO_RUN = CGO_ENABLED=0 go run -trimpath

GO_TEST_FLAGS = $(if $(RACE),-race) $(if $(RUN),-run '$(RUN)')

##@ Start here

.PHONY: help
help: ## Explain each target.
	@awk 'BEGIN {FS = ":[^#]*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-zA-Z0-9_.-]+:[^=]*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: operator ## On a bare machine: build, start Kubernetes, deploy, and play one conversation from AI to human and back.
	@KUBECTL='$(KUBECTL)' $(GO_RUN) ./hack/demo

.PHONY: demo-replay
demo-replay: ## Send each `text` of a CSV as a customer of its own and print what was handed off: FILE=utterances.csv LIMIT=0 CUSTOMERS=200
	@[ -n '$(FILE)' ] || { echo 'demo-replay: FILE is empty; say make demo-replay FILE=utterances.csv (a CSV with a column text)' >&2; exit 2; }
	@$(MAKE) --no-print-directory operator
	@$(GO_RUN) ./hack/demo -limit $(LIMIT) -customers $(CUSTOMERS) replay '$(FILE)'

# The operator in the cluster, as a pod, with everything it needs, in the images of this tree.
.PHONY: operator
operator: cluster-up image-load $(KUSTOMIZE)
	@$(if $(filter local,$(CLUSTER)),hack/cluster/volumes.sh)
	@$(MAKE) --no-print-directory deploy
	@$(KUBECTL) -n handoff-system rollout status deployment/handoff-operator --timeout=180s

##@ Build and generate

.PHONY: build
build: ## Build operator, runtime and kubectl-handoff into bin/.
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ ./cmd/...

.PHONY: generate
generate: code manifests docs ## Write everything generated: Go code, CRDs, RBAC and the API reference.

.PHONY: code
code: $(CONTROLLER_GEN) ## Write deepcopy functions and apply configurations from api/.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt \
		applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Write config/crd/bases from api/ and config/rbac/role.yaml from the markers in internal/controller/.
	$(CONTROLLER_GEN) crd paths=./api/v1alpha1 output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=handoff-operator paths=./internal/controller/... output:rbac:dir=config/rbac

.PHONY: docs
docs: $(CRD_REF_DOCS) ## Write docs/api-reference.md from the comments in api/.
	@mkdir -p docs
	$(CRD_REF_DOCS) --source-path=api/v1alpha1 --config=hack/crd-ref-docs.yaml \
		--renderer=markdown --output-path=docs/api-reference.md

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code and sort its imports.
	$(GOLANGCI_LINT) fmt

##@ Check

.PHONY: vet
vet: ## Run go vet, also over the tests behind build tags.
	go vet -tags e2e,soak ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint (.golangci.yml), which also holds the rules of the pure packages.
	$(GOLANGCI_LINT) run ./...

.PHONY: verify
verify: $(TOOLS) vet lint ## Check what is generated, go.mod, the libc pin and config/; changes nothing in the tree.
	BIN='$(BIN)' KUSTOMIZE='$(KUSTOMIZE)' hack/verify.sh

.PHONY: cel-cost
cel-cost: ## Print what each CEL rule of the CRDs costs at most, as an API server estimates it.
	go -C hack/celcost run . $(CURDIR)/config/crd/bases/*.yaml

.PHONY: test
test: $(GOTESTSUM) $(HELM) $(KUSTOMIZE) envtest-assets ## Unit, golden, envtest and SQLite tests. Narrow with PKG=./internal/routing/... RUN=TestName; RACE=1.
	$(if $(filter ./...,$(PKG)),go -C hack/image test ./... && go -C test/alerts test -count=1 ./...)
	HELM='$(HELM)' KUSTOMIZE='$(KUSTOMIZE)' KUBEBUILDER_ASSETS='$(KUBEBUILDER_ASSETS)' $(GOTESTSUM) --format pkgname-and-test-fails -- \
		-timeout 20m $(GO_TEST_FLAGS) $(PKG)

.PHONY: e2e
e2e: $(GOTESTSUM) $(HELM) $(KUSTOMIZE) operator ## Tests on the real cluster; CLUSTER=current uses the kube context that is there.
	HELM='$(HELM)' KUSTOMIZE='$(KUSTOMIZE)' KUBECTL='$(KUBECTL)' \
		$(GOTESTSUM) --format standard-verbose -- -tags e2e -count=1 -timeout 40m $(GO_TEST_FLAGS) ./test/e2e/...

.PHONY: soak
soak: $(GOTESTSUM) envtest-assets ## Long proofs: kills, interleavings, a database that fails, time that jumps; figures printed.
	SOAK=1 KUBEBUILDER_ASSETS='$(KUBEBUILDER_ASSETS)' $(GOTESTSUM) --format standard-verbose -- \
		-count=1 -timeout 3h -run 'Kill|Interleav|Crash|Capacity|TimeJumps' ./internal/runtime/... ./test/chaos/...
	SOAK=1 $(GOTESTSUM) --format standard-verbose -- -count=1 -timeout 3h ./test/engine/...
	SOAK=1 KUBEBUILDER_ASSETS='$(KUBEBUILDER_ASSETS)' $(GOTESTSUM) --format standard-verbose -- \
		-count=1 -timeout 3h ./test/faults/...

.PHONY: bench
bench: envtest-assets ## Benchmarks, each beside a floor of the same run.
	KUBEBUILDER_ASSETS='$(KUBEBUILDER_ASSETS)' go test -run '^$$' -bench '$(if $(RUN),$(RUN),.)' -benchmem -timeout 1h $(PKG)

##@ Deploy

.PHONY: install
install: $(KUSTOMIZE) ## Apply the CRDs alone.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: deploy
deploy: $(KUSTOMIZE) ## Apply CRDs, RBAC and the operator, with the images loaded last or OPERATOR_IMAGE=… RUNTIME_IMAGE=…
	@[ -n '$(OPERATOR_IMAGE)' ] && [ -n '$(RUNTIME_IMAGE)' ] || { \
		echo 'deploy: no images; run make image-load first, or set OPERATOR_IMAGE and RUNTIME_IMAGE to published ones' >&2; exit 2; }
	KUSTOMIZE='$(KUSTOMIZE)' hack/render.sh '$(OPERATOR_IMAGE)' '$(RUNTIME_IMAGE)' | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(KUSTOMIZE) ## Delete what deploy applied: with the CRDs go all Copilots, Channels, policies and pools.
	$(KUSTOMIZE) build config/default | $(KUBECTL) delete --ignore-not-found -f -
