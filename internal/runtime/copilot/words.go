package copilot

import (
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
	"golang.org/x/text/unicode/norm"
)

// stemmers by language. Words of other languages are matched as they are.
var stemmers = map[string]func(*snowballstem.Env) bool{
	"ar": arabic.Stem, "da": danish.Stem, "nl": dutch.Stem, "en": english.Stem, "fi": finnish.Stem, "fr": french.Stem,
	"de": german.Stem, "hu": hungarian.Stem, "it": italian.Stem, "nb": norwegian.Stem, "no": norwegian.Stem,
	"pt": portuguese.Stem, "ro": romanian.Stem, "ru": russian.Stem, "es": spanish.Stem, "sv": swedish.Stem,
	"tr": turkish.Stem,
}

// baseLanguage returns the language of a tag: "de" of "de-AT".
func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(base)
}

// words returns the words of a text, lower case and without diacritics, since customers leave them out. Scripts that
// write no spaces give overlapping pairs of characters.
func words(text string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, pairs([]rune(word))...)
	}
	return out
}

func fold(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return strings.ToLower(text)
	}
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ReplaceAll(text, "ß", "ss")) {
		if !unicode.Is(unicode.Mn, r) {
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return norm.NFC.String(out.String())
}

// pairs returns the word itself, or its overlapping pairs of characters where its script writes no spaces.
func pairs(word []rune) []string {
	if len(word) < 3 || !unicode.In(word[0], unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) {
		return []string{string(word)}
	}
	var out []string
	for i := range len(word) - 1 {
		out = append(out, string(word[i:i+2]))
	}
	return out
}

// vocabulary knows one language: how its words are stemmed and how much they say.
type vocabulary struct {
	stem       func(*snowballstem.Env) bool // nil for none
	stop, weak map[string]bool
	// roots remembers stems while an index is made, since texts repeat their words. It is nil otherwise.
	roots map[string]string
}

func vocabularyOf(language string) vocabulary {
	v := vocabulary{stem: stemmers[language], stop: map[string]bool{}, weak: map[string]bool{}}
	for _, word := range words(stopWords[language]) {
		v.stop[word] = true
	}
	for _, word := range words(weakWords[language]) {
		v.weak[v.root(word)] = true
	}
	return v
}

func (v vocabulary) root(word string) string {
	if v.stem == nil {
		return word
	}
	if root, ok := v.roots[word]; ok {
		return root
	}
	env := snowballstem.NewEnv(word)
	v.stem(env)
	if v.roots != nil {
		v.roots[word] = env.Current()
	}
	return env.Current()
}

// terms returns the stems of a text's content words, in order and with repetitions. Stop words are left out, and single
// letters, which are what apostrophes leave behind ("l'article", "what's").
func (v vocabulary) terms(text string) []string {
	var out []string
	for _, word := range words(text) {
		if v.stop[word] || len(word) == 1 && !unicode.IsDigit(rune(word[0])) {
			continue
		}
		out = append(out, v.root(word))
	}
	return out
}

// weight says how much a term tells of what a text is about, before anything is known of the other texts.
func (v vocabulary) weight(term string) float64 {
	if v.weak[term] {
		return weakWeight
	}
	return 1
}
