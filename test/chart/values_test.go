package chart

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// TestRefusedValues: what cannot be meant is refused, in words that say where it is.
func TestRefusedValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, says string }{
		{"--set=replica=2", "'replica' not allowed"},
		{"--set=image.repo=x", "at '/image': additional properties 'repo' not allowed"},
		{"--set=metrics.prometheusRule.enable=true", "'enable' not allowed"},
		{"--set=resources.limit.cpu=1", "'limit' not allowed"},
		{"--set=watchNamespaces=support", "at '/watchNamespaces': got string, want array"},
		{"--set=watchNamespaces={Support}", "at '/watchNamespaces/0': 'Support' does not match"},
		{"--set=replicas=two", "at '/replicas': got string, want integer"},
		{"--set=image.digest=sha256:1", "at '/image/digest'"},
		{"--set=image.pullPolicy=Sometimes", "at '/image/pullPolicy'"},
		{"--set=podDisruptionBudget.maxUnavailable=0", "at '/podDisruptionBudget/maxUnavailable'"},
		{"--set=metrics.serviceMonitor.interval=30", "at '/metrics/serviceMonitor/interval'"},
		{"--set=image.repository=", "image.repository is empty: name the image"},
		{"--set=runtimeImage.repository=", "runtimeImage.repository is empty: name the image"},
		{"--set=extraEnv[0].name=RUNTIME_IMAGE", "at '/extraEnv/0/name'"},
		{"--set=image.repository=registry.example/handoff:v1", "at '/image/repository'"},
		{"--set=runtimeImage.repository=registry.example/Handoff", "at '/runtimeImage/repository'"},
		{"--set=watchNamespaces={a.b}", "at '/watchNamespaces/0'"},
		{"--set=crds=null", "missing property 'crds'"},
		{"--set=crds.keep=null", "at '/crds': missing property 'keep'"},
		{"--set=rbac=null", "missing property 'rbac'"},
		{"--set=serviceAccount=null", "missing property 'serviceAccount'"},
		{"--set=podDisruptionBudget=null", "missing property 'podDisruptionBudget'"},
		{"--set=networkPolicy=null", "missing property 'networkPolicy'"},
		{"--set=metrics=null", "missing property 'metrics'"},
		{"--set=maxConcurrentUpgrades=null", "missing property 'maxConcurrentUpgrades'"},
		{`--set=podLabels.app\.kubernetes\.io/name=x`, "invalid propertyName 'app.kubernetes.io/name'"},
		{`--set=podAnnotations.kubectl\.kubernetes\.io/default-container=x`, "invalid propertyName"},
		{`--set=metrics.serviceMonitor.labels.app\.kubernetes\.io/instance=x`, "invalid propertyName"},
		{`--set=metrics.prometheusRule.labels.helm\.sh/chart=x`, "invalid propertyName"},
		{`--set=dashboards.labels.app\.kubernetes\.io/part-of=x`, "invalid propertyName"},
		{"--kube-version=1.32.0", "which is incompatible with Kubernetes v1.32.0"},
	} {
		_, complaint, err := try(t, tool(t, "HELM"), "template", release, chartDir, "--values", "testdata/default.values.yaml", c.flag)
		if err == nil || !strings.Contains(complaint, c.says) {
			t.Errorf("%s: want an error that says %q, have %v: %s", c.flag, c.says, err, complaint)
		}
	}
}

// TestNamesOfDigits: names that YAML would take for numbers stay names.
func TestNamesOfDigits(t *testing.T) {
	t.Parallel()
	objects := template(t, "--values", "testdata/default.values.yaml", "--namespace=42",
		`--set-json=watchNamespaces=["123"]`, `--set-json=imagePullSecrets=["456"]`, "--set-string=priorityClassName=789",
		"--set=image.repository=localhost:5000/a/b_c")
	found := byKey(t, objects)
	for _, k := range []string{"Role.rbac.authorization.k8s.io 123/handoff-operator-42", "RoleBinding.rbac.authorization.k8s.io 123/handoff-operator-42"} {
		if found[k] == nil {
			t.Errorf("no %s", k)
		}
	}
	var d appsv1.Deployment
	decode(t, objects, "Deployment 42/"+release, &d)
	pod := d.Spec.Template.Spec
	if len(pod.ImagePullSecrets) != 1 || pod.ImagePullSecrets[0].Name != "456" || pod.PriorityClassName != "789" {
		t.Errorf("secrets %v, class %q", pod.ImagePullSecrets, pod.PriorityClassName)
	}
}

// TestLeaseHasOneName: whatever the release is called, it gets the rights to the one Lease under the same name, so that
// Helm refuses to install a second in the namespace.
func TestLeaseHasOneName(t *testing.T) {
	t.Parallel()
	objects := byKey(t, template(t, "--values", "testdata/default.values.yaml", "--set=fullnameOverride=desk"))
	if objects["Role.rbac.authorization.k8s.io "+releaseNamespace+"/handoff-operator-leader-election"] == nil {
		t.Error("the Role of the Lease has another name")
	}
}
