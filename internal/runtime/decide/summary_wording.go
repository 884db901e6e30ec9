package decide

import "strings"

// wording is the customer's summary in one language. {wants} is the quotation of what the customer wrote.
type wording struct {
	passing, wants, repeat string
}

var wordings = map[string]wording{
	"en": {
		"We are passing your conversation on to a colleague.",
		"What we pass on: {wants}",
		"They can read the whole conversation, so you do not need to repeat anything.",
	},
	"de": {
		"Wir geben Ihr Gespräch an eine Kollegin oder einen Kollegen weiter.",
		"Das geben wir weiter: {wants}",
		"Der bisherige Verlauf ist dort zu sehen, Sie müssen nichts wiederholen.",
	},
	"fr": {
		"Nous transmettons votre conversation à une personne de notre équipe.",
		"Voici ce que nous transmettons : {wants}",
		"Toute la conversation lui est accessible, vous n'avez rien à répéter.",
	},
	"ar": {
		"نحيل محادثتك إلى أحد الزملاء.",
		"ما ننقله: {wants}",
		"يمكنه قراءة المحادثة كاملة، فلا حاجة إلى تكرار أي شيء.",
	},
	"nl": {
		"We geven uw gesprek door aan een collega.",
		"Dit geven we door: {wants}",
		"Die kan het hele gesprek lezen, u hoeft niets te herhalen.",
	},
	"es": {
		"Pasamos su conversación a una persona de nuestro equipo.",
		"Esto es lo que transmitimos: {wants}",
		"Podrá leer toda la conversación, no hace falta que repita nada.",
	},
}

// wordingFor is the wording for a language tag such as "de" or "de-AT"; English where there is none.
func wordingFor(tag string) wording {
	language, _, _ := strings.Cut(tag, "-")
	if w, ok := wordings[language]; ok {
		return w
	}
	return wordings["en"]
}
