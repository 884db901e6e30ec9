package readme

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// generated pages are their generators' to get right.
var generated = []string{"docs/api-reference.md"}

// pages are the Markdown files for readers, by path from the root.
func pages(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	read := func(path string) {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(text)
	}
	for _, path := range []string{"README.md", "CONTRIBUTING.md", "hack/cluster/README.md"} {
		read(path)
	}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") && !slices.Contains(generated, path) {
			read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	target  = regexp.MustCompile(`(?m)^([a-zA-Z0-9_-]+):[^=\n]*## `)
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	command = regexp.MustCompile("(?m)(?:^|`)\\s*make((?: +[a-z][a-z0-9-]*)+)")
)

// TestMakeTargets: every `make x` of the pages is a target that `make help` explains.
func TestMakeTargets(t *testing.T) {
	t.Parallel()
	targets := map[string]bool{}
	files, err := filepath.Glob("../../hack/*.mk")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, "../../Makefile") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			targets[m[1]] = true
		}
	}
	found := 0
	for path, text := range pages(t, "../..") {
		for _, span := range code.FindAllString(text, -1) {
			for _, m := range command.FindAllStringSubmatch(span, -1) {
				for _, name := range strings.Fields(m[1]) {
					found++
					if !targets[name] {
						t.Errorf("%s: `make %s` is no target that `make help` explains", path, name)
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands were found: the test does not read the pages as they are written", found)
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks: every relative link of the pages leads to a file, and to a heading where it names one.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t, "../..")
	for path, text := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			file := path
			if to != "" {
				file = filepath.Join(filepath.Dir(path), to)
			}
			if _, err := os.Stat(filepath.Join("../..", file)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, m[1])
			}
			if anchor != "" && !slices.Contains(anchors(all[file]), anchor) {
				t.Errorf("%s: %s has no heading for the link to %s", path, file, m[1])
			}
		}
	}
}

// anchors are the names that GitHub gives the headings of a page.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}
