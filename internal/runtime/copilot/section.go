package copilot

import (
	"log/slog"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

const (
	// sectionText bounds a section's text in bytes, and with it an answer from knowledge.
	sectionText = 4 << 10
	// headingText is the longest heading in bytes. What is longer counts as a paragraph.
	headingText = 512
)

// section is the unit of knowledge: what stands under one heading, or a part of it, as plain text.
type section struct {
	name     string // of the knowledge source
	document string
	path     []string // headings from the document's title down to the section's own
	text     string   // never empty; at most sectionText bytes from readDocument
}

func (s section) source() Source {
	return Source{Name: s.name, Document: s.document, Heading: strings.Join(s.path, " > ")}
}

// readSources cuts all documents into sections, in the order of the sources and of the keys, so that equal input gives
// equal answers.
func readSources(sources []routing.KnowledgeSource, maps map[string]map[string]string, log *slog.Logger) []section {
	var all []section
	for _, src := range sources {
		documents, ok := maps[src.ConfigMap]
		if !ok {
			log.Warn("knowledge is missing, answering without it", "source", src.Name, "configMap", src.ConfigMap)
		}
		keys := make([]string, 0, len(documents))
		for key := range documents {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			for _, s := range readDocument(key, documents[key]) {
				s.name, s.document = src.Name, key
				all = append(all, s)
			}
		}
	}
	return all
}

// readDocument cuts one document into sections: plain text by paragraph where the key ends in ".txt" or there is no
// heading, Markdown by heading otherwise. What is too long for one section becomes several with the same path.
func readDocument(key, text string) []section {
	var out []section
	for _, s := range wholeSections(key, text) {
		for _, part := range parts(s.text) {
			out = append(out, section{path: s.path, text: part})
		}
	}
	return out
}

// wholeSections are as long as their author made them.
func wholeSections(key, text string) []section {
	text = strings.ToValidUTF8(strings.TrimPrefix(text, "\ufeff"), "\ufffd")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(text)
	if strings.EqualFold(path.Ext(key), ".txt") {
		return plainSections(text)
	}
	sections := markdownSections(withoutFrontMatter(text))
	if len(sections) == 1 && len(sections[0].path) == 0 {
		return plainSections(sections[0].text)
	}
	return sections
}

// plainSections makes a section of each paragraph; its first line is its heading if it looks like one.
func plainSections(text string) []section {
	var out []section
	for _, lines := range paragraphs(text) {
		s := section{text: strings.Join(lines, "\n")}
		if len(lines) > 1 && looksLikeHeading(lines[0]) {
			s = section{path: lines[:1], text: strings.Join(lines[1:], "\n")}
		}
		out = append(out, s)
	}
	return out
}

// ends of the pieces that a long text is cut into, the best first: paragraph, line, sentence, word.
var ends = [][]string{
	{"\n\n"},
	{"\n"},
	{". ", "! ", "? ", "\u061f ", "\u06d4 ", "\u0964 ", "\u3002", "\uff01", "\uff1f"},
	{" ", "\t", "\u3000"},
}

// parts cuts a text where it is longer than a section may be.
func parts(text string) []string {
	var out []string
	for len(text) > sectionText {
		end := cut(text)
		if part := strings.TrimSpace(text[:end]); part != "" {
			out = append(out, part)
		}
		text = text[end:]
	}
	if part := strings.TrimSpace(text); part != "" {
		out = append(out, part)
	}
	return out
}

// cut returns where to end the first part of a text that is too long: at the best end in the second half of what fits,
// else between any two characters.
func cut(text string) int {
	const half = sectionText / 2
	limit := sectionText
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	for _, marks := range ends {
		best := -1
		for _, mark := range marks {
			if at := strings.LastIndex(text[half:limit], mark); at >= 0 {
				best = max(best, half+at+len(mark))
			}
		}
		if best > 0 {
			return best
		}
	}
	return limit
}

// looksLikeHeading is true for a question and for a short line that ends in a letter or digit. Text wrapped by an editor
// has longer lines.
func looksLikeHeading(line string) bool {
	last, _ := utf8.DecodeLastRuneInString(line)
	question := last == '?' || last == '\u061f' || last == '\uff1f'
	return question && len(line) <= headingText ||
		utf8.RuneCountInString(line) <= 60 && (unicode.IsLetter(last) || unicode.IsDigit(last))
}

// paragraphs returns the lines of each run of lines that are not blank, trimmed.
func paragraphs(text string) [][]string {
	var out [][]string
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			open = false
			continue
		}
		if !open {
			out = append(out, nil)
			open = true
		}
		out[len(out)-1] = append(out[len(out)-1], line)
	}
	return out
}

// withoutFrontMatter drops a leading YAML block between lines of "---", which Markdown would take for a heading.
func withoutFrontMatter(text string) string {
	rest, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return text
	}
	_, body, ok := strings.Cut("\n"+rest, "\n---\n")
	if !ok {
		return text
	}
	return body
}
