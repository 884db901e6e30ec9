package decide

import "regexp"

// announcements are how an AI says, against its instructions, that a human takes over: read in one sentence, in folded
// spelling, where "I'm" is "im" and "we'll" is "well". A sentence that only says how to get there does not match.
var announcements = []*regexp.Regexp{
	regexp.MustCompile(`\b(i am|im|i will|ill|let me|we are|were|we will|well|ive|i have|i can|allow me to) (\w+ ){0,3}` +
		`(transfer|connect|forward|redirect|escalat|hand|pass|put)\w* (\w+ ){0,6}` +
		`(human|agent|operator|colleague|person|representative|specialist|supervisor|manager|team|department|support|someone|somebody)s?\b`),
	regexp.MustCompile(`\byou (are|are being|are now being|will be|will now be|have been|ll be) (\w+ )?(transferred|connected|forwarded|redirected|escalated|handed|put through)\b`),
	regexp.MustCompile(`\b(human|agent|operator|colleague|representative|specialist|supervisor|manager|team member|someone|somebody|member of our team|team)s? ` +
		`(\w+ ){0,3}?(will|is going to|shall) (\w+ )?(contact|call|reach|get|take over|join|be with|answer|assist|help|respond|follow)\b`),
	regexp.MustCompile(`\bich (\w+ ){0,2}(verbinde|leite|ubergebe|gebe|reiche) (\w+ ){0,8}(kolleg|mitarbeiter|mensch|team|support|kundendienst)`),
	regexp.MustCompile(`\b(kolleg\w*|mitarbeiter\w*) (\w+ ){0,3}(wird|meldet|ubernimmt|kummert|hilft)\b`),
	regexp.MustCompile(`\bje (\w+ ){0,3}(transf\w+|passe|redirige|mets|transmets|mettre) (\w+ ){0,8}(collegue|conseiller|agent|humain|equipe|responsable)`),
	regexp.MustCompile(`\bik (\w+ ){0,3}(verbind|zet|geef|schakel|draag) (\w+ ){0,8}(collega|medewerker|mens|team)`),
	regexp.MustCompile(`\b(le|lo|la|te|os|les) (\w+ )?(transfiero|paso|conecto|derivo|comunico|transferire|pasare|conectare) (\w+ ){0,6}(agente|companero|companera|persona|humano|equipo|asesor)`),
	regexp.MustCompile(`(ساحولك|ساقوم بتحويلك|سيتم تحويلك|سوف احولك|سانقلك)`),
}

// announcement is the sentence of an AI's answer that tells the customer that a human takes over, or "".
func announcement(answer string) string {
	t := parse(answer)
	for begin := 0; begin < len(t.words); {
		end := begin + 1
		for end < len(t.words) && !t.words[end].sentence {
			end++
		}
		folded := text{words: t.words[begin:end]}.folded()
		for _, a := range announcements {
			if a.MatchString(folded) {
				return t.written(begin, end)
			}
		}
		begin = end
	}
	return ""
}
