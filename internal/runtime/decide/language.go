package decide

import (
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// enoughLetters is how long a text must be before its language is believed. Shorter ones ("ok", "Hallo, agent") are
// told apart no better than by chance.
const enoughLetters = 24

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

// detect is the language of a text, or empty if it cannot be told.
func detect(s string) string {
	s = clip(s)
	latin, arabic := 0, 0
	for _, r := range s {
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
	if latin < enoughLetters {
		return ""
	}
	info := whatlanggo.DetectWithOptions(s, whitelist)
	if info.Lang < 0 || !info.IsReliable() {
		return ""
	}
	return info.Lang.Iso6391()
}
