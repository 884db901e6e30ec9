package copilot

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestReadDocument(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key, text string
		want      []string // "path > of > headings | text"
	}{
		"path of headings": {"a.md", "# A\n## B\nb\n### C\nc\n## D\nd\n# E\ne", []string{"A > B | b", "A > B > C | c", "A > D | d", "E | e"}},
		"before a heading": {"a.md", "intro\n\n# A\na", []string{" | intro", "A | a"}},
		"setext and CRLF":  {"a.md", "A\r\n===\r\na\r\nb", []string{"A | a b"}},
		"skipped levels":   {"a.md", "### A\na\n# B\n#### C\nc", []string{"A | a", "B > C | c"}},
		"links":            {"a.md", "# A\nsee [orders](https://x.example/o), <https://y.example> and ![logo](l.png)", []string{"A | see orders (https://x.example/o), https://y.example and logo"}},
		"emphasis and code": {"a.md", "# *A*\n**b** `c*\\*` &amp; \\* <b>d</b>\\\ne",
			[]string{"A | b c*\\* & * d\ne"}},
		"lists": {"a.md", "# A\n3. one\n   - in\n4. two\n\n- x\n", []string{"A | 3. one\n   - in\n4. two\n\n- x"}},
		"table and code block": {"a.md", "# A\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n# no heading\n```\n",
			[]string{"A | a | b\n1 | 2\n\n# no heading"}},
		"quote and HTML":    {"a.md", "# A\n> q\n\n<!-- hidden -->\n", []string{"A | q"}},
		"front matter":      {"a.md", "---\ntitle: x\n---\n# A\na", []string{"A | a"}},
		"no front matter":   {"a.md", "---\n# A\na", []string{"A | a"}},
		"no heading at all": {"faq", "What now?\nThis.\n\nThat.", []string{" | What now? This.", " | That."}},
		"plain text":        {"a.txt", "What # now?\nThis.\n\n# no heading: it ends so.\nb\n\nOpening hours\n9 to 5", []string{"What # now? | This.", " | # no heading: it ends so.\nb", "Opening hours | 9 to 5"}},
		"empty":             {"a.md", "# A\n\n## B\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range readDocument(test.key, test.text) {
				got = append(got, strings.Join(s.path, " > ")+" | "+s.text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("sections (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzReadDocument looks for documents that break the reader or the search, or that give sections without text or with
// too much.
func FuzzReadDocument(f *testing.F) {
	f.Add("a.md", "---\na: b\n---\n# A\n1. b\n\n| a |\n|---|\n> ``` \n[x](y)", "de")
	f.Add("a.txt", "Q?\nA\r\n\r\nB\xff\x00", "zh")
	for language := range stemmers {
		f.Add("a.md", "# Ünïcödé ß İ\nأهلا Köln x", language)
	}
	f.Fuzz(func(t *testing.T, key, text, language string) {
		sections := readDocument(key, text)
		for _, s := range sections {
			if strings.TrimSpace(s.text) == "" || !utf8.ValidString(s.text) || len(s.text) > sectionText {
				t.Errorf("section %q has the text %q", s.path, s.text)
			}
		}
		for _, h := range newIndex(vocabularyOf(language), sections).search(text, 3) {
			if h.confidence <= 0 || h.confidence > 1.000001 {
				t.Errorf("%s: confidence %v", language, h.confidence)
			}
		}
	})
}
