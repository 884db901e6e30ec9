package copilot

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// megabyte is the filler repeated around one sentence in the middle, about as much as a ConfigMap holds.
func megabyte(filler, needle string) string {
	half := strings.Repeat(filler, 500_000/len(filler))
	return half + needle + half
}

// Whatever a ConfigMap holds, an answer is one that a person reads, and it has what was asked for.
func TestLongDocumentsGiveShortAnswers(t *testing.T) {
	t.Parallel()
	const needle = "The reception keeps lost umbrellas for thirty days. "
	for name, test := range map[string]struct{ key, text, want string }{
		"one line":                  {"a.txt", megabyte("Nothing to see in this sentence. ", needle), needle},
		"one Markdown paragraph":    {"a.md", "# House rules\n" + megabyte("Nothing to see in this sentence.\n", needle), needle},
		"no heading":                {"a", megabyte("Nothing to see in this sentence. ", needle), needle},
		"lines":                     {"a.txt", megabyte("Nothing to see in this line\n", needle), needle},
		"no sentence":               {"a.txt", megabyte("word ", needle), needle},
		"no space but the answer's": {"a.txt", megabyte("x", " "+needle), "umbrellas"},
		"no space, long characters": {"a.md", megabyte("語", " "+needle), "umbrellas"},
		"a heading that long":       {"a.md", "# " + megabyte("Nothing to see in this sentence. ", needle) + "\n\nEnd.", needle},
		"a question that long":      {"a.txt", megabyte("Nothing to see in this sentence. ", needle) + "?\nEnd.", needle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bot, err := New(Config{
				Table: &routing.Table{Copilot: routing.Copilot{Namespace: "n", Name: "c", DisplayName: "C", Language: "en",
					Knowledge: []routing.KnowledgeSource{{Name: "rules", ConfigMap: "rules"}}}},
				Knowledge: map[string]map[string]string{"rules": {test.key: test.text}},
			})
			if err != nil {
				t.Fatal(err)
			}
			req := Request{Messages: []Message{{Author: Customer, Text: "How long does the reception keep lost umbrellas?"}}}
			answer, err := bot.Answer(t.Context(), req, func(string) error { return nil })
			if err != nil || !answer.Understood {
				t.Fatalf("not understood: %v, confidence %v", err, answer.Confidence)
			}
			if len(answer.Text) > sectionText || !utf8.ValidString(answer.Text) {
				t.Errorf("the answer has %d bytes", len(answer.Text))
			}
			if !strings.Contains(answer.Text, strings.TrimSpace(test.want)) {
				t.Errorf("the answer lacks %q: %s", test.want, answer.Text)
			}
			if s := answer.Sources[0]; s.Name != "rules" || s.Document != test.key || len(s.Heading) > headingText {
				t.Errorf("source %s %s, heading of %d bytes", s.Name, s.Document, len(s.Heading))
			}
		})
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	const n = sectionText
	x := func(count int) string { return strings.Repeat("x", count) }
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"what fits":           {x(n), []string{x(n)}},
		"a paragraph":         {x(n-900) + "\n\na\nb. c " + x(n-900), []string{x(n - 900), "a\nb. c " + x(n-900)}},
		"a line":              {x(n-900) + "\na. b " + x(n-900), []string{x(n - 900), "a. b " + x(n-900)}},
		"a sentence":          {x(n-900) + "! a " + x(n-900), []string{x(n-900) + "!", "a " + x(n-900)}},
		"a sentence in kanji": {x(n-900) + "。a " + x(n-900), []string{x(n-900) + "。", "a " + x(n-900)}},
		"a word":              {x(n-900) + " " + x(n-900), []string{x(n - 900), x(n - 900)}},
		"an early word":       {"a " + x(n), []string{"a " + x(n-2), x(2)}},
		"no end at all":       {x(n + 1), []string{x(n), x(1)}},
		"inside a character":  {x(n-1) + "語", []string{x(n - 1), "語"}},
		"blanks only":         {strings.Repeat(" ", 3*n), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, parts(test.text)); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}
