package decide

import "testing"

func TestRequestsForAHuman(t *testing.T) {
	t.Parallel()
	clear := []string{
		"I want to talk to a human", "Can I speak with someone?", "agent", "Human please!", "real person now", "give me a person",
		"I need an operator", "put me through to your manager", "connect me to an agent", "Connect me to customer service",
		"Transfer this chat to a supervisor", "speak to a goddamn human", "is there a human I can talk to?",
		"I don't want to talk to a bot", "Stop. No bots.", "why am I talking to a robot", "stop wasting my time with a machine",
		"I don't know how to contact an agent", "I can't reach a person", "you are not helpful i want to speak to a human",
		"I don't want to talk to you, get me a human", "I do not want to talk to anyone but a human", "Could somebody else help, get me someone else",
		"can u help me tallk to an agnet", "iwant to talkto a human", "I'D LIKE TO SPEAK TO A REPRESENTATIVE",
		"I would rather talk to a person", "You don't get it. Get me a human.", "please pass me on to a colleague",
		"can a human help me?", "could a real person call me", "I want to escalate this", "have someone call me", "put somebody on the line",
		"get me somebody", "not a bot please, a human", "is there anyone I can talk to?", "I want a manager!", "I'd like someone to call me, get me a person",
		"how long do I need to wait until I can talk to an agent?",
	}
	for _, s := range clear {
		if r := requestOf(parse(s)); r.strength != requestClear || r.words == "" {
			t.Errorf("not recognised: %q: %+v", s, r)
		}
	}
	unsure := []string{"I want to speak to customer service", "how do I contact support", "need to call customer care"}
	for _, s := range unsure {
		if r := requestOf(parse(s)); r.strength != requestUnsure {
			t.Errorf("want unsure: %q: %+v", s, r)
		}
	}
	traps := []string{
		"", "I don't want to talk to a human", "I do not need to speak to an agent", "no need to connect me to a person",
		"You don't need to transfer me to a real person", "please don't transfer me to an agent", "I would rather not talk to a human",
		"I want to cancel without talking to a person", "I don't want you to put me through to anyone", "What is the phone number of customer service?",
		"what are the opening hours of your agents", "Connect me to the spa", "Am I talking to a human?", "are you a real person?",
		"is this a bot or a human", "I spoke to an agent yesterday", "the agent was rude", "I was talking to an agent when the chat closed",
		"transfer 50 dollars to my brother", "how do you say can I talk to a person in Spanish", "find me a travel agent",
		"I need to prove that I am not a robot", "my computer does not work", "What does the human resources form need", "talk to me about refunds",
		"I need to give another person access to my account", "I need the manager role", "is there an assistant mode", "we need people for a survey",
		"how can I find a person in the directory", "I want to become an agent", "do humans read these chats?", "how do I contact the seller",
		"send this to my colleague", "I don't need a human, you are doing great", "can someone help me with my card?",
		"do I have to speak to an agent to close my account?", "my agent sold me a phone", "can we meet in person", "I have a contract with you",
	}
	for _, s := range traps {
		if r := requestOf(parse(s)); r.strength == requestClear {
			t.Errorf("taken for a request: %q: %+v", s, r)
		}
	}
}

func TestRequestsInOtherLanguages(t *testing.T) {
	t.Parallel()
	clear := []string{
		"Ich möchte mit einem Menschen sprechen", "Kann ich mit einem Mitarbeiter reden?", "Verbinden Sie mich bitte mit einem Berater", "Mitarbeiter bitte",
		"Ich will nicht mit einem Bot reden", "Ich brauche einen echten Menschen",
		"Je veux parler à un humain", "Pouvez-vous me passer un conseiller ?", "un agent s'il vous plaît", "Je ne veux pas parler à un robot", "J'aimerais parler à quelqu'un",
		"Quiero hablar con una persona", "¿Puede pasarme con un agente?", "agente por favor", "No quiero hablar con un robot",
		"Ik wil met een medewerker spreken", "Kan ik iemand spreken?", "Verbind me door met een mens", "medewerker alstublieft", "Ik wil niet met een robot praten",
		"أريد التحدث مع موظف", "أريد أن أتكلم مع شخص حقيقي", "حولني إلى موظف من فضلك",
	}
	for _, s := range clear {
		if r := requestOf(parse(s)); r.strength != requestClear {
			t.Errorf("not recognised: %q (%s)", s, parse(s).folded())
		}
	}
	traps := []string{
		"Ich möchte nicht mit einem Menschen sprechen", "Ich brauche keinen Mitarbeiter", "Spreche ich mit einem Menschen?", "Ich brauche eine Rechnung",
		"Ein Mitarbeiter hat mir gestern geholfen",
		"Je ne veux pas parler à un humain", "Est-ce que je parle à un humain ?", "Un agent m'a rappelé hier", "Sans parler à une personne",
		"No quiero hablar con una persona", "¿Estoy hablando con una persona?", "Un agente me llamó ayer",
		"Ik wil niet met een medewerker spreken", "Praat ik met een mens?", "Een medewerker belde mij gisteren",
		"لا أريد التحدث مع موظف", "اتصل بي موظف أمس",
	}
	for _, s := range traps {
		if r := requestOf(parse(s)); r.strength == requestClear {
			t.Errorf("taken for a request: %q: %+v", s, r)
		}
	}
}

// TestVocabulary: an entry in two classes would have one of them by accident.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	seen := map[string]byte{}
	for class, entries := range vocabulary {
		for _, e := range splitEntries(entries) {
			if other, twice := seen[e]; twice {
				t.Errorf("%q is in the classes %c and %c", e, other, class)
			}
			seen[e] = class
		}
	}
}
