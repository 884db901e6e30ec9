package copilot

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// question is a labelled question of testdata/questions.yaml.
type question struct{ FAQ, Lang, Ask, Want string }

func readKnowledge(t testing.TB, file string) *knowledge {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return newKnowledge(readSources([]routing.KnowledgeSource{{Name: "faq", ConfigMap: "faq"}},
		map[string]map[string]string{"faq": {file: string(text)}}, slog.New(slog.DiscardHandler)))
}

// TestThreshold holds the verdicts on the labelled questions above a rate: an answer from the right section where there
// is one, none where there is none. The rates are what was measured, less one question.
func TestThreshold(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/questions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string][]question
	if err := yaml.UnmarshalStrict(data, &sets); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		set               string
		answered, refused float64
	}{
		{"tuned", 0.91, 0.92},
		{"held", 0.61, 0.77},
	} {
		var right, total [2]int // of those without an answer, and with one
		for _, q := range sets[test.set] {
			kind := 0
			if q.Want != "" {
				kind = 1
			}
			total[kind]++
			got, sure := verdict(t, q)
			if got == q.Want {
				right[kind]++
			} else {
				t.Logf("%s: %q: answered from %q (confidence %.2f), want %q", test.set, q.Ask, got, sure, q.Want)
			}
		}
		t.Logf("%s: %d of %d answered rightly, %d of %d refused", test.set, right[1], total[1], right[0], total[0])
		if rate := float64(right[1]) / float64(total[1]); !(rate >= test.answered) {
			t.Errorf("%s: rate of right answers %.2f, want %.2f", test.set, rate, test.answered)
		}
		if rate := float64(right[0]) / float64(total[0]); !(rate >= test.refused) {
			t.Errorf("%s: rate of refusals %.2f, want %.2f", test.set, rate, test.refused)
		}
	}
}

// verdict returns the heading that answers the question, or "" below the threshold.
func verdict(t *testing.T, q question) (heading string, sure float64) {
	if q.Lang == "" {
		q.Lang = "en"
	}
	hits := readKnowledge(t, q.FAQ).index(q.Lang).search(q.Ask, 1)
	if sure = confidence(hits); sure < threshold {
		return "", sure
	}
	return hits[0].path[len(hits[0].path)-1], sure
}
