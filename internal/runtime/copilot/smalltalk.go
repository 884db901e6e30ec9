package copilot

import "slices"

// smallTalk answers a message that only greets, thanks or says goodbye. It is there because "I do not know" is a rude
// answer to "hello", and counts towards a handoff; a model does this better and is asked first where there is one.
// Languages without an entry are answered in English if the message is English.
func smallTalk(text, language string) (string, bool) {
	said := words(text)
	if len(said) > 5 {
		return "", false
	}
	for _, lang := range []string{baseLanguage(language), "en"} {
		for _, c := range courtesies[lang] {
			if c.isAll(said) {
				return c.reply, true
			}
		}
	}
	return "", false
}

// courtesy is a set of words, the reply to a message of such words, and words that may stand beside them.
type courtesy struct{ words, fillers, reply string }

func (c courtesy) isAll(said []string) bool {
	core, fillers, found := words(c.words), words(c.fillers), false
	for _, word := range said {
		if slices.Contains(core, word) {
			found = true
		} else if !slices.Contains(fillers, word) {
			return false
		}
	}
	return found
}

var courtesies = map[string][]courtesy{
	"en": {
		{"hi hello hey", "there good morning afternoon evening", "Hello! How can I help you?"},
		{"thank thanks thx ty", "you very much so a lot many ok okay great", "You are welcome! Is there anything else?"},
		{"bye goodbye", "thanks and good", "Goodbye!"},
	},
	"de": {
		{"hallo hi hey moin servus guten", "tag morgen abend zusammen", "Hallo! Wie kann ich Ihnen helfen?"},
		{"danke dank", "vielen schön sehr besten herzlichen ok okay super", "Gern geschehen! Kann ich sonst noch etwas für Sie tun?"},
		{"tschüss wiedersehen ciao", "auf bis bald und danke", "Auf Wiedersehen!"},
	},
	"fr": {
		{"bonjour bonsoir salut coucou", "à tous", "Bonjour ! Comment puis-je vous aider ?"},
		{"merci", "beaucoup bien ok parfait à vous", "Avec plaisir ! Puis-je faire autre chose pour vous ?"},
		{"revoir", "au merci et", "Au revoir !"},
	},
	"es": {
		{"hola buenas buenos", "días tardes noches", "¡Hola! ¿En qué puedo ayudarle?"},
		{"gracias", "muchas mil ok perfecto vale", "¡De nada! ¿Puedo ayudarle en algo más?"},
		{"adiós luego", "hasta pronto gracias y", "¡Hasta luego!"},
	},
	"nl": {
		{"hallo hoi hey goedemorgen goedemiddag goedenavond goedendag", "allemaal", "Hallo! Waarmee kan ik u helpen?"},
		{"bedankt dank", "u je wel hartelijk heel erg ok prima", "Graag gedaan! Kan ik nog iets voor u doen?"},
		{"doei ziens", "tot dag bedankt", "Tot ziens!"},
	},
	"ar": {
		{"مرحبا أهلا اهلا السلام", "عليكم صباح مساء الخير و سهلا", "مرحبا! كيف يمكنني مساعدتك؟"},
		{"شكرا", "جزيلا لك لكم", "على الرحب والسعة! هل هناك شيء آخر؟"},
		{"وداعا", "مع السلامة", "مع السلامة!"},
	},
}
