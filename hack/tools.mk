# Development tools: each pinned here, built by `go install` from its own module's versions, checked
# against the checksum database, and kept as bin/<tool>-<version> so that a new pin rebuilds just that one.

CONTROLLER_GEN := $(BIN)/controller-gen-v0.23.0
CRD_REF_DOCS   := $(BIN)/crd-ref-docs-v0.3.0
GOLANGCI_LINT  := $(BIN)/golangci-lint-v2.15.0
GOTESTSUM      := $(BIN)/gotestsum-v1.13.0
HELM           := $(BIN)/helm-v4.3.1
KUSTOMIZE      := $(BIN)/kustomize-v5.8.2

$(CONTROLLER_GEN): PACKAGE := sigs.k8s.io/controller-tools/cmd/controller-gen
$(CRD_REF_DOCS):   PACKAGE := github.com/elastic/crd-ref-docs
$(GOLANGCI_LINT):  PACKAGE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(GOTESTSUM):      PACKAGE := gotest.tools/gotestsum
$(HELM):           PACKAGE := helm.sh/helm/v4/cmd/helm
$(KUSTOMIZE):      PACKAGE := sigs.k8s.io/kustomize/kustomize/v5

TOOLS := $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(GOLANGCI_LINT) $(GOTESTSUM) $(HELM) $(KUSTOMIZE)

# Installed into a folder of its own first: an interrupted build leaves no half tool under the final name.
$(TOOLS):
	@name='$(@F)'; version=$${name##*-}; \
	echo "building $${name%-*} $$version (golangci-lint and helm take minutes on a cold cache)"; \
	mkdir -p '$(BIN)'; dir=$$(mktemp -d '$(BIN)/.install-XXXXXX'); trap 'rm -rf "$$dir"' EXIT; \
	GOFLAGS= GOWORK=off CGO_ENABLED=0 GOBIN=$$dir go install '$(PACKAGE)'@$$version; \
	mv "$$dir"/* '$@'

##@ Tools

.PHONY: tools
tools: $(TOOLS) ## Build the pinned development tools into bin/.
