package decide

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// enoughLetters is how long a text must be before the statistics of its letters are believed. Those of shorter ones
// ("ok", "Hallo, agent") tell languages apart no better than chance.
const enoughLetters = 24

// readForLanguage is how many bytes of a text are given to whatlanggo, whose cost grows with them.
const readForLanguage = 300

// whitelist has the languages with built-in texts; others are read as the nearest of these, so a policy for other
// languages sets the Copilot's language.
var whitelist = whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{
	whatlanggo.Eng: true, whatlanggo.Deu: true, whatlanggo.Fra: true,
	whatlanggo.Arb: true, whatlanggo.Nld: true, whatlanggo.Spa: true,
}}

// languageOf is the language of the customer's newest message, if that is long enough; else of all of the customer's
// messages together; else fallback, and "en" without one.
func languageOf(messages []Message, fallback string) string {
	texts := customerMessages(messages)
	if len(texts) > 0 {
		if l := detect(texts[len(texts)-1]); l != "" {
			return l
		}
		if l := detect(strings.Join(texts, "\n")); l != "" {
			return l
		}
	}
	if fallback == "" {
		return "en"
	}
	return fallback
}

// functionWords are frequent small words of one of the languages, folded, that are rare in the others. Two of them tell
// the language of a sentence that is too short for the statistics of letters.
var functionWords = compileFunctionWords(map[string]string{
	"en": `the is are was my your you i what how can could would with have this that and it not do for to from when where please there`,
	"de": `ich der die das und ist nicht mit mein meine meinen sie wir wie ein eine einen einem zu auf wo warum kann mochte habe haben bitte noch auch`,
	"fr": `je le les et est pas pour mon ma mes vous nous avec une comment pourquoi ou dans sur jai puis ne pouvez cest du des votre ce toujours`,
	"es": `el los y es no por mi mis usted ustedes con una como porque donde quiero puedo he ha me lo pero esta todavia necesito del cuando`,
	"nl": `ik het een en niet met mijn wij hoe waar waarom kan wil heb hebben graag nog ook naar van voor u jullie maar dit deze wanneer`,
})

func compileFunctionWords(lists map[string]string) map[string]string {
	m := map[string]string{}
	for language, words := range lists {
		for w := range set(words) {
			m[w] = language
		}
	}
	return m
}

// vote is the language with the most function words, if it has at least two and twice as many as any other.
func vote(t text) string {
	votes := map[string]int{}
	for _, w := range t.words {
		if l := functionWords[w.folded]; l != "" {
			votes[l]++
		}
	}
	for l, n := range votes {
		clear := n >= 2
		for other, m := range votes {
			clear = clear && (other == l || n >= 2*m)
		}
		if clear {
			return l
		}
	}
	return ""
}

// detect is the language of a text, or empty if it cannot be told.
func detect(s string) string {
	t := parse(s)
	latin, arabic := 0, 0
	for _, r := range t.raw {
		switch {
		case unicode.Is(unicode.Arabic, r):
			arabic++
		case unicode.IsLetter(r):
			latin++
		}
	}
	if arabic > latin {
		return "ar"
	}
	if l := vote(t); l != "" {
		return l
	}
	if latin < enoughLetters {
		return ""
	}
	head := t.raw
	if len(head) > readForLanguage {
		head = strings.ToValidUTF8(head[:readForLanguage], "")
	}
	info := whatlanggo.DetectWithOptions(head, whitelist)
	if info.Lang < 0 || !info.IsReliable() {
		return ""
	}
	return info.Lang.Iso6391()
}
