// Package alerts tests the alerts and dashboards of the chart: that Prometheus reads them, that what they look at exists,
// and that each alert has a runbook.
package alerts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const (
	root  = "../.."
	files = root + "/charts/handoff-operator/files"
)

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func rules(t *testing.T) (out []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, files+"/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) < 10 {
		t.Fatalf("only %d alerts", len(out))
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAlerts: each alert parses, looks at metrics that docs/operations.md explains (which test/docs holds against the
// code) and reasons that the API has, and its runbook says what it means and what to do.
func TestAlerts(t *testing.T) {
	t.Parallel()
	page, conditions := read(t, root+"/docs/operations.md"), read(t, root+"/api/v1alpha1/conditions.go")
	seen := map[string]bool{}
	for _, r := range rules(t) {
		if seen[r.Alert] {
			t.Errorf("%s is there twice", r.Alert)
		}
		seen[r.Alert] = true
		for _, s := range selectors(t, r.Alert, r.Expr) {
			known(t, r.Alert, page, s)
			for _, m := range s.LabelMatchers {
				if m.Name == "reason" && m.Value != "" && !strings.Contains(conditions, `"`+m.Value+`"`) {
					t.Errorf("%s: no condition has the reason %s", r.Alert, m.Value)
				}
			}
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["runbook_url"] != "RUNBOOK#"+strings.ToLower(r.Alert) {
			t.Errorf("%s: summary %q, runbook %q", r.Alert, r.Annotations["summary"], r.Annotations["runbook_url"])
		}
		_, section, found := strings.Cut(page, "\n### "+r.Alert+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		for _, part := range []string{"**Means.**", "**Look.**", "**Do.**"} {
			if !found || !strings.Contains(section, part) {
				t.Errorf("docs/operations.md: the section %s has no %s", r.Alert, part)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (Handoff\w+)$`).FindAllStringSubmatch(page, -1) {
		if !seen[m[1]] {
			t.Errorf("docs/operations.md has a runbook for %s, which is no alert", m[1])
		}
	}
}

// TestDashboards: each is JSON that Grafana imports, with panels whose queries parse and look at metrics that exist.
func TestDashboards(t *testing.T) {
	t.Parallel()
	page := read(t, root+"/docs/operations.md")
	found, err := filepath.Glob(files + "/dashboards/*.json")
	if err != nil || len(found) < 2 {
		t.Fatalf("%d dashboards: %v", len(found), err)
	}
	uids := map[string]bool{}
	for _, path := range found {
		name := filepath.Base(path)
		var d struct {
			UID, Title string
			Panels     []struct {
				Title, Type string
				Targets     []struct{ Expr string }
			}
		}
		if err := json.Unmarshal([]byte(read(t, path)), &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d.UID == "" || uids[d.UID] || d.Title == "" || len(d.Panels) < 4 {
			t.Errorf("%s: uid %q, title %q, %d panels", name, d.UID, d.Title, len(d.Panels))
		}
		uids[d.UID] = true
		for _, p := range d.Panels {
			if p.Title == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %q has %d queries", name, p.Title, len(p.Targets))
			}
			for _, q := range p.Targets {
				// Grafana fills these in.
				expr := strings.NewReplacer("$__rate_interval", "5m", "$namespace", "shop", "$copilot", "bikes").Replace(q.Expr)
				for _, s := range selectors(t, name+", "+p.Title, expr) {
					known(t, name+", "+p.Title, page, s)
				}
			}
		}
	}
}

// selectors are the series that an expression reads.
func selectors(t *testing.T, where, expr string) (out []*parser.VectorSelector) {
	t.Helper()
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v in %s", where, err, expr)
		return nil
	}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			out = append(out, s)
		}
		return nil
	})
	if len(out) == 0 {
		t.Errorf("%s reads no series: %s", where, expr)
	}
	return out
}

// known says whether the page explains the metric and its labels.
func known(t *testing.T, where, page string, s *parser.VectorSelector) {
	t.Helper()
	name := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(s.Name, "")
	m := regexp.MustCompile("`" + name + `(\{([^}]*)\})?` + "`").FindStringSubmatch(page)
	if m == nil {
		t.Errorf("%s: docs/operations.md does not explain %s", where, name)
		return
	}
	ofScrape := map[string]bool{"job": true, "namespace": true, "copilot": true, labels.MetricName: true}
	for _, matcher := range s.LabelMatchers {
		if !ofScrape[matcher.Name] && !strings.Contains(","+m[2]+",", ","+matcher.Name+",") {
			t.Errorf("%s: %s has no label %s that docs/operations.md tells of", where, name, matcher.Name)
		}
	}
}
