package decide

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// find looks for a keyword or phrase in the message and returns the words as written. Whole words are compared, also
// in another inflection: "sue" finds "suing" and "sued", and neither "issue" nor a person who is introduced as Sue.
func (t text) find(keyword string) (string, bool) {
	i, n := t.findFrom(phraseOf(keyword), 0)
	if i < 0 {
		return "", false
	}
	return t.written(i, i+n), true
}

// phraseOf is a keyword cut into folded words.
func phraseOf(keyword string) []string {
	if plainWord(keyword) {
		return []string{fold(keyword)}
	}
	words := parse(keyword).words
	phrase := make([]string, len(words))
	for i, w := range words {
		phrase[i] = w.folded
	}
	return phrase
}

func plainWord(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

// findFrom is the index of the first occurrence of the phrase at or after from, -1 for none, and its length in words.
func (t text) findFrom(phrase []string, from int) (int, int) {
	n := len(phrase)
	if n == 0 {
		return -1, 0
	}
	for i := from; i+n <= len(t.words); i++ {
		if t.matchesAt(i, phrase) {
			return i, n
		}
	}
	return -1, 0
}

func (t text) matchesAt(i int, phrase []string) bool {
	for j, want := range phrase {
		if j > 0 && t.words[i+j].afterBreak || !sameWord(t.words[i+j].folded, want) {
			return false
		}
	}
	return len(phrase) > 1 || !t.nameAt(i)
}

// firstNames that are also words a policy may list.
var firstNames = set("sue bill mark rob frank grant pat drew will chase may april june penny rich art")

// introductions are words after which one of firstNames is a person: "my name is Sue", "thanks Bill".
var introductions = set("name called hi hello dear thanks mr mrs ms miss")

func (t text) nameAt(i int) bool {
	if !firstNames[t.words[i].folded] || i == 0 {
		return false
	}
	before := t.words[i-1].folded
	if before == "is" && i > 1 {
		before = t.words[i-2].folded
	}
	return introductions[before]
}

// sameWord reports whether two folded words are forms of one word.
func sameWord(a, b string) bool {
	if a == b {
		return true
	}
	if a == "" || b == "" || a[0] != b[0] && a[0] < utf8.RuneSelf {
		return false
	}
	if a[0] >= utf8.RuneSelf {
		return sameArabicWord(a, b)
	}
	if inflected(a, b) || inflected(b, a) {
		return true
	}
	return len(a) > 3 && len(b) > 3 && a[1] == b[1] && a[2] == b[2] && english.Stem(a, false) == english.Stem(b, false)
}

// inflected reports whether long is base with an ending: "sue" gives sues, sued, suing; "Rechnung" gives Rechnungen.
func inflected(long, base string) bool {
	if rest, ok := strings.CutPrefix(long, base); ok {
		switch rest {
		case "s", "es", "ed", "ing":
			return len(base) > 1
		case "e", "n", "en", "em":
			return len(base) >= 6
		}
	}
	stem, e := strings.CutSuffix(base, "e")
	rest, ok := strings.CutPrefix(long, stem)
	return e && ok && len(stem) > 1 && (rest == "ed" || rest == "ing")
}

// arabicPrefixes are the article and particles that are written together with a word, longest first.
var arabicPrefixes = []string{"وال", "بال", "لل", "ال", "و", "ب", "ل"}

func sameArabicWord(a, b string) bool { return bareArabic(a) == bareArabic(b) }

func bareArabic(s string) string {
	for _, p := range arabicPrefixes {
		if rest, ok := strings.CutPrefix(s, p); ok && utf8.RuneCountInString(rest) >= 3 {
			return rest
		}
	}
	return s
}

// Points of a hit for a type of issue. A keyword outweighs any description, the newest message the ones before it.
const (
	keywordPoints     = 100
	phrasePoints      = 120
	descriptionPoints = 1
	newestWeight      = 2
)

// issueTypeOf is the type of issue with the most hits in the customer's messages; of equals the policy's first; empty
// if nothing hits.
func issueTypeOf(types []routing.IssueType, messages []Message) string {
	texts := customerMessages(messages)
	if len(types) == 0 || len(texts) == 0 {
		return ""
	}
	index := newIndex(texts)
	best, most := "", 0
	for _, t := range types {
		if score := index.score(t); score > most {
			best, most = t.Name, score
		}
	}
	return best
}

// index finds the words of messages by their first two bytes: most keywords are dismissed by one look-up, since a
// policy may have 5,000 of them.
type index struct {
	texts   []text
	byStart map[string][]place
}

type place struct{ text, word int }

func newIndex(texts []string) index {
	x := index{byStart: map[string][]place{}}
	for i, s := range texts {
		t := parse(s)
		x.texts = append(x.texts, t)
		for j, w := range t.words {
			start := startOf(w.folded)
			x.byStart[start] = append(x.byStart[start], place{i, j})
		}
	}
	return x
}

func startOf(folded string) string {
	if folded[0] >= utf8.RuneSelf {
		folded = bareArabic(folded)
	}
	return folded[:min(2, len(folded))]
}

func (x index) score(t routing.IssueType) int {
	score := 0
	for _, keyword := range t.Keywords {
		phrase := phraseOf(keyword)
		points := keywordPoints
		if len(phrase) > 1 {
			points = phrasePoints
		}
		score += points * x.weight(phrase)
	}
	for _, w := range strings.FieldsFunc(t.Description, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if w = fold(w); len(w) > 3 && !emptyWords[w] {
			score += descriptionPoints * x.weight([]string{w})
		}
	}
	return score
}

// weight is how strongly a phrase occurs: in the newest message twice as much as in one before it.
func (x index) weight(phrase []string) int {
	if len(phrase) == 0 || phrase[0] == "" {
		return 0
	}
	weight, last := 0, -1
	for _, p := range x.byStart[startOf(phrase[0])] {
		if p.text == last || p.word+len(phrase) > len(x.texts[p.text].words) || !x.texts[p.text].matchesAt(p.word, phrase) {
			continue
		}
		last = p.text
		weight++
		if p.text == len(x.texts)-1 {
			weight += newestWeight - 1
		}
	}
	return weight
}

// emptyWords of a description say nothing about a message.
var emptyWords = set(`about also anything because been being between does doing done each every everything from have having
	into just like more most need needs only other others over please related same should some someone something such than that
	their them then there these they thing things this those very want wants well were what when where which while will with
	would your yours customer customers question questions help issue issues problem problems nicht eine einer einen oder alles
	avec pour dans plus sont para como todo todos`)
