package decide

import (
	"regexp"
	"strings"
)

// foreign is how requests for a human are put in one language, over folded text (see text.folded): words in lower case
// without accents and apostrophes, a space around each, ". " where a clause begins.
type foreign struct {
	// anchors: text with none of these is not looked at.
	anchors []string
	// request, unless refusal matches in the same clause.
	request, refusal *regexp.Regexp
}

func foreignRequest(t text) request {
	folded := t.folded()
	for _, f := range foreigns {
		if !containsAny(folded, f.anchors) {
			continue
		}
		for _, clause := range strings.Split(folded, ".") {
			clause = " " + strings.TrimSpace(clause) + " "
			if found := f.request.FindString(clause); found != "" && !f.refusal.MatchString(clause) {
				return request{requestClear, strings.TrimSpace(found)}
			}
		}
	}
	return request{}
}

func containsAny(s string, anchors []string) bool {
	for _, a := range anchors {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

var foreigns = []foreign{
	{ // German
		anchors: []string{"mensch", "mitarbeiter", "berater", "person", "jemand", "kolleg", "agent", "bot", "maschine", "roboter", "computer", "vorgesetz", "support"},
		request: regexp.MustCompile(` (?:(?:sprechen|reden|chatten|telefonieren|schreiben|verbinden|verbinde|verbunden|durchstellen|weiterleiten|geben|gib|brauche|will|mochte|verlange|bitte|kontaktieren|erreichen|kann ich|konnte ich|holen|rufen|stellen|leiten)` +
			` (?:\S+ ){0,5}?(?:mensch|menschen|menschlichen?|mitarbeiter|mitarbeiterin|mitarbeitern|berater|beraterin|person|jemand|jemanden|jemandem|kollegen|kollegin|agent|agenten|vorgesetzten|kundenberater|kundenbetreuer|sachbearbeiter)(?: (?:\S+ ){0,3}?(?:sprechen|reden|chatten|verbinden|verbunden|weiterleiten|durchstellen|schreiben|telefonieren|bitte))` +
			`|(?:mit|an|zu) (?:\S+ ){0,4}?(?:mensch|menschen|menschlichen|mitarbeiter|mitarbeiterin|berater|beraterin|person|jemand|jemandem|jemanden|kollegen|agent|agenten|vorgesetzten|kundenberater|kundenbetreuer|sachbearbeiter) (?:\S+ ){0,2}?(?:sprechen|reden|chatten|verbinden|verbunden|weiterleiten|durchstellen|schreiben|telefonieren)` +
			`|(?:sprechen|reden|chatten|verbinden|verbinde|stellen|leiten) (?:\S+ ){0,3}?(?:mit|an|zu) (?:\S+ ){0,4}?(?:mensch|menschen|menschlichen|mitarbeiter|mitarbeiterin|berater|beraterin|person|jemand|jemandem|jemanden|kollegen|agent|agenten|vorgesetzten|kundenberater|kundenbetreuer|sachbearbeiter)` +
			`|(?:brauche|will|mochte|verlange|gib mir|geben sie mir|holen sie mir|ich hatte gern) (?:\S+ ){0,3}?(?:menschen|menschlichen|mitarbeiter|mitarbeiterin|berater|beraterin|agent|agenten|kundenberater|kundenbetreuer|sachbearbeiter|vorgesetzten)` +
			`|(?:nicht|kein|keinem|keinen) (?:\S+ ){0,4}?(?:bot|roboter|maschine|computer|chatbot)(?: (?:sprechen|reden|schreiben|chatten))` +
			`|(?:mensch|mitarbeiter|berater|agent|person) bitte|(?:echter|echten|richtigen|richtiger) (?:mensch|menschen|mitarbeiter|person)) `),
		refusal: regexp.MustCompile(` (?:(?:nicht|keinen|kein|keine|keinem|ohne|statt|anstatt) (?:\S+ ){0,4}?(?:mensch\S*|mitarbeiter\S*|berater\S*|person|jemand\S*|agent\S*|kollegen)|(?:spreche|rede|schreibe) ich (?:\S+ ){0,2}?mit) `),
	},
	{ // French
		anchors: []string{"humain", "conseiller", "agent", "personne", "quelquun", "operateur", "responsable", "robot", "bot", "machine", "employe", "representant", "service client"},
		request: regexp.MustCompile(` (?:(?:parler|discuter|echanger|converser|joindre|contacter|transferer|transferez|transfere|passer|passez|passe|connecter|connectez|mettre|mettez|voudrais|veux|besoin|donnez moi|jaimerais|peux)` +
			` (?:\S+ ){0,5}?(?:humain|humaine|conseiller|conseillere|agent|vraie personne|personne reelle|une personne|quelquun|operateur|operatrice|responsable|superieur|employe|representant)` +
			`|(?:ne|pas|plus) (?:\S+ ){0,3}?(?:parler|discuter) (?:\S+ ){0,3}?(?:robot|bot|machine|chatbot|ordinateur)` +
			`|(?:humain|conseiller|agent|operateur|personne) (?:sil vous plait|svp|stp|sil te plait)) `),
		refusal: regexp.MustCompile(` (?:(?:pas|plus|sans|jamais|inutile|au lieu) (?:\S+ ){0,5}?(?:humain|humaine|conseiller|agent|personne|quelquun|operateur|responsable|employe)|est ce que je parle|je parle a|devenir) `),
	},
	{ // Spanish
		anchors: []string{"humano", "humana", "persona", "agente", "alguien", "operador", "asesor", "representante", "supervisor", "encargado", "robot", "bot", "maquina"},
		request: regexp.MustCompile(` (?:(?:hablar|habla|hablo|chatear|conversar|contactar|comunicar\S*|comunique\S*|transferir\S*|transfiera\S*|transfiere\S*|pasar\S*|paseme|pasame|conectar\S*|conecte\S*|conecta\S*|pongame|ponme|quiero|necesito|quisiera|deme|dame|prefiero|exijo)` +
			` (?:\S+ ){0,5}?(?:humano|humana|persona|agente|alguien|operador|operadora|asesor|asesora|representante|supervisor|supervisora|encargado)` +
			`|no (?:\S+ ){0,3}?(?:hablar|chatear) (?:\S+ ){0,2}?(?:robot|bot|maquina|chatbot|ordenador)` +
			`|(?:humano|agente|persona|operador|asesor) por favor) `),
		refusal: regexp.MustCompile(` (?:(?:no|sin|nunca|jamas) (?:(?:quiero|necesito|quisiera|hace|falta|tengo|que|me|hablar|transfiera|transfieras|pase|pases|con|un|una|a|deseo|necesidad|de) ){0,7}(?:humano|humana|persona|agente|alguien|operador|asesor|representante|supervisor)|estoy hablando con|hablo con) `),
	},
	{ // Dutch
		anchors: []string{"mens", "medewerker", "persoon", "iemand", "agent", "collega", "robot", "bot", "machine", "computer", "leidinggevende", "adviseur"},
		request: regexp.MustCompile(` (?:(?:spreken|praten|chatten|bellen|verbinden|verbind|doorverbinden|doorverbonden|verbonden|geef|wil|kan ik|mag ik|graag|nodig|contact)` +
			` (?:\S+ ){0,5}?(?:mens|menselijke|medewerker|medewerkster|persoon|iemand|agent|collega|leidinggevende|adviseur)(?: (?:\S+ ){0,3}?(?:spreken|praten|chatten|hebben|nodig|contact|doorverbonden))` +
			`|(?:spreken|praten|chatten|verbinden|verbind|doorverbinden|doorverbonden|contact) (?:\S+ ){0,3}?(?:met|aan|naar) (?:\S+ ){0,3}?(?:mens|menselijke|medewerker|medewerkster|persoon|iemand|agent|collega|leidinggevende|adviseur)` +
			`|(?:met|aan|naar) (?:\S+ ){0,3}?(?:mens|medewerker|persoon|iemand|agent|collega|leidinggevende|adviseur) (?:spreken|praten|chatten|verbinden|doorverbinden|doorverbonden)` +
			`|(?:geef mij|geef me|ik wil|ik heb) (?:een |echte ){0,2}(?:mens|medewerker|agent)` +
			`|(?:niet|geen) (?:\S+ ){0,3}?(?:robot|bot|machine|chatbot|computer) (?:praten|spreken|chatten)` +
			`|(?:mens|medewerker|agent|persoon) (?:alstublieft|alsjeblieft|aub|graag)|echte (?:mens|persoon|medewerker)) `),
		refusal: regexp.MustCompile(` (?:(?:niet|geen|zonder|nooit) (?:\S+ ){0,4}?(?:mens|medewerker|persoon|iemand|agent|collega)|praat ik|spreek ik) `),
	},
	{ // Arabic, folded; particles and article are written with the noun
		anchors: []string{"انسان", "موظف", "شخص", "بشر", "ممثل", "وكيل", "مسؤول", "مشرف", "روبوت", "احد", "مدير"},
		request: regexp.MustCompile(` (?:(?:اتحدث|التحدث|اتكلم|التكلم|اكلم|احكي|تحدث|كلمني|تواصل|التواصل|اتواصل|حولني|حولوني|تحويلي|توصيلي|وصلني|اريد|اعطني|احتاج|ابغي|ابي|عايز|بدي)` +
			` (?:\S+ ){0,4}?(?:ل|ب|ال|لل|بال)?(?:انسان|موظف|موظفه|شخص|بشري|ممثل|وكيل|مسؤول|مشرف|احد|مدير)` +
			`|لا (?:\S+ ){0,3}?(?:التحدث|اتحدث|اتكلم|التكلم) (?:\S+ ){0,2}?(?:ال)?(?:روبوت|بوت|اله)` +
			`|(?:انسان|موظف|شخص حقيقي) (?:لو سمحت|من فضلك|رجاء)) `),
		refusal: regexp.MustCompile(` (?:لا|لست|بدون|دون|لن) (?:\S+ ){0,5}?(?:ل|ب|ال|لل|بال)?(?:انسان|موظف|موظفه|شخص|بشري|ممثل|وكيل|مسؤول|مشرف|احد|مدير) `),
	},
}
