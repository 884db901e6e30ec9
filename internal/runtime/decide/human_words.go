package decide

import (
	"sort"
	"strings"
)

// vocabulary has the words and phrases of each class of the grammar (see englishRequest), separated by commas, in folded
// spelling. Past forms are missing on purpose: "I spoke to an agent yesterday" is no request.
var vocabulary = map[byte]string{
	'h': `human, humans, human being, human beings, agent, agents, operator, operators, representative, representatives, rep, reps, csr, advisor,
		advisors, adviser, advisers, supervisor, supervisors, human support, human help, human assistance, human service,
		human interaction, human contact, someone else, somebody else, anyone else, anybody else, someone real, somebody real,
		someone human, somebody human, someone alive, real one, live one, live chat, actual support, real support, live support`,
	'p': `person, persons, people, manager, managers, employee, employees, staff, staff member, worker, workers, clerk, specialist, specialists,
		consultant, colleague, colleagues, teller, superior, associate, assistant, assistants, team member`,
	'S': `someone, somebody, anyone, anybody`,
	'o': `customer service, customer services, customer support, customer care, customer assistance, customer help, client service,
		client support, support, support team, helpdesk, help desk, service desk, service center, service centre, call center,
		call centre, tech support, technical support, your team, the team, customer service department, customer service team,
		customer support team, customer care team`,
	'b': `bot, bots, robot, robots, chatbot, chatbots, chat bot, chat bots, machine, machines, computer, ai, virtual agent, virtual agents,
		virtual assistant, virtual assistants, digital assistant, automated system, automatic system, automated agent,
		automated assistant, ai agent, ai assistant, algorithm, software`,
	'v': `speak, speaking, talk, talking, chat, chatting, converse, conversing, have a word, have a chat, have a conversation, discuss this,
		discuss it, discuss that`,
	'c': `contact, contacting, reach, reaching, get in touch, getting in touch, get into contact, get in contact, in touch, in contact,
		get hold of, get a hold of, get ahold of, getting hold of, get through, getting through, be in touch, reach out, reaching out,
		hear from, hear back from, deal with, dealing with, communicate, communicating, help from, assistance from, support from,
		answer from, call from, callback from, helped by, served by, assisted by, handled by`,
	'C': `call, calling, phone, ring`,
	't': `transfer, transferring, transfered, transferred, connect, connecting, connected, forward, forwarded, redirect, redirected,
		redirecting, pass, passed, switch, switched, route, routed, hand, handed, put, patch, patched,
		refer, hook, bring, direct, link, send`,
	'E': `escalate, escalated, escalating`,
	'g': `give, gimme, get, getting, find, want, wanna, need, require, demand, request, requesting, prefer, is there, are there,
		do you have, let me have, can i have, could i have, may i have, ask for, asking for, looking for`,
	'w': `to, with, wit, wth, wiht, wiith, onto`,
	'm': `me, us, this, conversation, the call, this call, the chat, my call, this chat, my chat, this conversation, this issue, my issue,
		my case, this case, my ticket, the conversation, my question`,
	'r': `through, thru, over, back, on, up`,
	'i': `i, you, u, we, ya, id, ill`,
	'a': `a, an, the, any, some, your, ur, of, one of, one, proper, another,
		other, different, senior, bank, competent, qualified, available, customer, service, technical, tech, fucking, fuckin, goddamn,
		goddam, damn, damned, bloody, freaking, frigging, sales, billing, nice, actually, company`,
	'R': `real, actual, live, living, breathing, genuine, flesh and blood`,
	'L': `on the phone, on the line`,
	'H': `help, assist, answer, reply, respond, take over, look, handle, join`,
	'f': `please, pls, plz, now, right now, asap, immediately, directly, straight, away, right away, just, urgently, here, again, instead,
		thanks, thank you, there, today, about this, first, quickly, already, really, hey, hello, hi`,
	'k': `wish, have, going, plan, planning, trying, try, intend, bother, be, being, ever, feel, interested, in, for, think i need, think i want,
		want to, need to, needs to, wanting to, like to, would like to`,
	'l': `comfortable, trust, like, share, sharing`,
	'x': `dont, do not, doesnt, does not, didnt, did not, never, no, not, without, nor, instead of, rather than, wont, will not,
		wouldnt, would not, isnt`,
	'y': `why am i, why do i, why should i, wasting, waste, wasting my time, waste my time, waste time, wasting time, stuck, forced, stop, hate,
		tired of, sick of, enough of, refuse`,
	'z': `am i, are you, was i, did i, if i, when i, whenever i, every time i, is this, i was, i am, im, i have been, ive been, after i,
		do i have to, do i need to, should i, must i, are we, were you, you are, youre, is it, i keep, i kept, before i`,
	'j': `but, except, besides, other than, apart from`,
	'q': `can, could, who, that, may, which, might`,
	'd': `hours, what time, phone number, telephone number, number for, number of, number to, phone no, email address, e mail, postal address,
		mailing address`,
	'Q': `how do you say, how do i say, how would i say, how would you say, how to say, translate, in spanish, in french, in german, in italian,
		define, definition of, synonym`,
	// Phrases that would read as something else if taken word by word.
	'_': `dont know, do not know, dont understand, do not understand, not helpful, not helping, not help, not working, not able, not sure,
		why dont, why not, travel agent, travel agents, insurance agent, estate agent, real estate agent, password manager, task manager,
		secret agent, cleaning agent, in person, per person, person of, people of, get it, get to, what do i need to, what do i have to,
		what i need to, what i have to, dont need to be`,
}

// A phrase is several words with one class.
type phrase struct {
	words []string
	class byte
}

func (p phrase) matches(words []string, breaks []bool) bool {
	for i, w := range p.words {
		if words[i] != w || i > 0 && breaks[i] {
			return false
		}
	}
	return true
}

var classes, phrases = compileVocabulary()

// compileVocabulary makes the look-ups: single words, and phrases by their first word, the longest first.
func compileVocabulary() (map[string]byte, map[string][]phrase) {
	single, multi := map[string]byte{}, map[string][]phrase{}
	order := make([]byte, 0, len(vocabulary))
	for class := range vocabulary {
		order = append(order, class)
	}
	sort.Slice(order, func(i, j int) bool { return order[i] < order[j] })
	for _, class := range order {
		for _, entry := range splitEntries(vocabulary[class]) {
			words := strings.Fields(entry)
			if len(words) == 1 {
				single[words[0]] = class
				continue
			}
			multi[words[0]] = append(multi[words[0]], phrase{words, class})
		}
	}
	for _, list := range multi {
		sort.SliceStable(list, func(i, j int) bool { return len(list[i].words) > len(list[j].words) })
	}
	return single, multi
}

// splitEntries cuts a list at its commas.
func splitEntries(list string) []string {
	entries := strings.Split(list, ",")
	for i, e := range entries {
		entries[i] = strings.Join(strings.Fields(e), " ")
	}
	return entries
}
