package decide

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// analysedBytes bounds the work on one message: of a longer one the first and the last half of this are read, where
// people say what they want.
const analysedBytes = 8 << 10

// word is one word of a message: as written, and folded (lower case, without accents and apostrophes).
type word struct {
	written string
	folded  string
	// afterBreak: a clause begins here, after punctuation or a line break. sentence: after ". ! ?" or at the start.
	afterBreak, sentence bool
}

// text is a message cut into words.
type text struct {
	raw   string
	words []word
}

// parse cuts a message into words. Any string is accepted, also invalid UTF-8.
func parse(raw string) text {
	t := text{raw: clip(raw)}
	start, breakAt, sentence := -1, true, true
	flush := func(end int) {
		if start < 0 {
			return
		}
		if folded := fold(t.raw[start:end]); folded != "" {
			t.words = append(t.words, word{t.raw[start:end], folded, breakAt, sentence})
			breakAt, sentence = false, false
		}
		start = -1
	}
	for i, r := range t.raw {
		if wordRune(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
		switch {
		case strings.ContainsRune(".!?\n؟", r):
			breakAt, sentence = true, true
		case strings.ContainsRune(",;:()\"،؛…", r):
			breakAt = true
		}
	}
	flush(len(t.raw))
	return t
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' || r == '`'
}

// clip keeps the beginning and the end of a very long message.
func clip(s string) string {
	if len(s) <= analysedBytes {
		return strings.ToValidUTF8(s, " ")
	}
	head, tail := analysedBytes/2, len(s)-analysedBytes/2
	for head > 0 && !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return strings.ToValidUTF8(s[:head]+" \n "+s[tail:], " ")
}

// folds maps letters with marks, after lower-casing, to what people type without them.
var folds = map[rune]string{
	'à': "a", 'á': "a", 'â': "a", 'ã': "a", 'ä': "a", 'å': "a", 'ç': "c", 'è': "e", 'é': "e", 'ê': "e", 'ë': "e",
	'ì': "i", 'í': "i", 'î': "i", 'ï': "i", 'ñ': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'õ': "o", 'ö': "o", 'ù': "u",
	'ú': "u", 'û': "u", 'ü': "u", 'ý': "y", 'ÿ': "y", 'ß': "ss", 'œ': "oe", 'æ': "ae",
	'أ': "ا", 'إ': "ا", 'آ': "ا", 'ة': "ه", 'ى': "ي", 'ـ': "",
	'\'': "", '’': "", '`': "",
}

// fold is lower case without accents, apostrophes and Arabic vowel marks.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c == '\'' || c == '`' || c >= 'A' && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		r = unicode.ToLower(r)
		if to, ok := folds[r]; ok {
			b.WriteString(to)
		} else if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// folded is the whole text as folded words with one space between, and " . " where a clause begins.
func (t text) folded() string {
	var b strings.Builder
	b.Grow(len(t.raw) + 8)
	b.WriteByte(' ')
	for i, w := range t.words {
		if i > 0 && w.afterBreak {
			b.WriteString(". ")
		}
		b.WriteString(w.folded)
		b.WriteByte(' ')
	}
	return b.String()
}

// written is the words from i up to and excluding j as the customer wrote them.
func (t text) written(i, j int) string {
	parts := make([]string, 0, max(0, j-i))
	for _, w := range t.words[i:j] {
		parts = append(parts, w.written)
	}
	return strings.Join(parts, " ")
}

// set makes a set of the words in a string.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
