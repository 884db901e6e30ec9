package decide

import (
	"regexp"
	"strings"
)

// strength is how clearly a message asks for a human.
type strength int

const (
	requestNone strength = iota
	// requestUnsure: it asks for the organisation ("customer service"), which may be reached in other ways.
	requestUnsure
	requestClear
)

// request is what a message says about wanting a human, with the words that say it.
type request struct {
	strength strength
	words    string
}

// requestOf reads a message by the English grammar and, in the other languages, by their expressions. All are tried:
// a message as short as "Agent bitte" has no language that can be told.
func requestOf(t text) request {
	r := englishRequest(t)
	if r.strength == requestClear {
		return r
	}
	if other := foreignRequest(t); other.strength > r.strength {
		return other
	}
	return r
}

// The grammar reads a message as a string with one letter for each word, its class (see classes), and looks for the
// patterns below in it. That keeps typing errors and wording out of the patterns, and the patterns readable.
//
//	h a human who helps: agent, human, operator      p person, manager, clerk  S someone, anybody
//	o the organisation: customer service             b a bot                   R real, live: before a noun
//	v speak, talk, chat                              c contact, reach          C call
//	t transfer, connect, put                         E escalate                g give, get, want, need
//	w to, with                                       H help, answer            L on the phone
//	m me, us, this chat                              r through, over, back     i I, you, we
//	a articles and what may stand before a noun      f fillers: now, please    k have, be, in: between a negation and a verb
//	x a negation                                     y why am I, stop, hate    z "am I", "if I": what follows is no request
//	j but, except                                    q can, who, that          d a word about details: hours, number
//	l like, trust                                    Q asking for a translation, not for a human
//	.  a new clause                                  _ anything else
var (
	clearPatterns = compile(
		// speak to a human, talk with someone, chat an agent
		`v[mf]*(?:wN*[hpS]|[aoR]N*[hp])`,
		// contact an agent, reach someone, get in touch with a person; call an agent
		`c[mf]*w?N*[hpS]`, `C[mf]*w?N*[hp]`,
		// connect me to an agent, put me through to someone, transfer this chat to customer service, transfer to an operator
		`[tE][mf]{1,3}r*wN*[hpSo]`, `[tE]r*w?N*h`, `[tE]r*wN*p`,
		// escalate this
		`E[mf]`,
		// give me an agent, get a human, I need a real operator
		`g[mf]*r*w?N*h`,
		// nouns that name many others too: give me a person, I want a real person, get a manager please
		`gm[mf]*r*w?N*p`, `gm[mf]*N*Sf*$`, `g[mf]*w?[af]*RN*p`, `g[mf]*w?N*pf*$`,
		// put someone on the line
		`[tg][mf]*N*[hpS]r?L`,
		// a person I can talk to, someone to speak with
		`[hpS][wiq]{1,3}v`,
		// can a human help me, have someone call me
		`qN*[hp]f*[HCcm]`, `kN*[hpS][HCc]m`,
		// not anyone but a human
		`[hpS]jN*[hp]`,
		// a human please; agent
		`^N*[hp]N*$`,
	)
	unsurePattern = compile(`(?:v[mf]*w|[cC][mf]*w?|g[mf]*w?)[afR]*o`)[0]
	// rejectPatterns turn the bot down: not talking to a bot, not wanting a bot, not comfortable sharing details with a
	// machine, no bots, why am I talking to a robot, wasting time with a machine.
	rejectPatterns = compile(`x[^b]{0,5}v[mf]*wN*b`, `x[^b]{0,3}[gc]m*w?N*b`, `x[^b]{0,3}l[^b]{0,6}b`, `^xN*bN*$`, `y(?:[^b]{0,6}[vw])?N*b`)
	// negated says of what stands before a pattern that it is not wanted: don't want to, no need to, without.
	negated = regexp.MustCompile(`x[afR]*(?:[kg][kgwfia]*)?w?$`)
	// idle says of what stands before a pattern that it is no request: am I talking to a human?
	idle = regexp.MustCompile(`z[afk]*$`)
)

// compile makes patterns; N in them stands for the classes that may come before a noun.
func compile(patterns ...string) []*regexp.Regexp {
	compiled := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		compiled[i] = regexp.MustCompile(strings.ReplaceAll(p, "N", "[afoR]"))
	}
	return compiled
}

func englishRequest(t text) request {
	classes, at := classify(t)
	best := request{}
	for _, clause := range clauses(classes) {
		s := classes[clause[0]:clause[1]]
		if strings.Contains(s, "Q") {
			continue
		}
		for _, p := range rejectPatterns {
			if loc := p.FindStringIndex(s); loc != nil {
				return request{requestClear, t.written(at[clause[0]+loc[0]], at[clause[0]+loc[1]])}
			}
		}
		for _, p := range clearPatterns {
			if from, to, ok := wanted(p, s); ok && !strings.Contains(s, "d") {
				return request{requestClear, t.written(at[clause[0]+from], at[clause[0]+to])}
			}
		}
		if from, to, ok := wanted(unsurePattern, s); ok && best.strength == requestNone {
			best = request{requestUnsure, t.written(at[clause[0]+from], at[clause[0]+to])}
		}
	}
	return best
}

// wanted is the first place in the clause where the pattern stands and is neither negated nor idle.
func wanted(p *regexp.Regexp, clause string) (from, to int, ok bool) {
	for start := 0; start < len(clause); {
		loc := p.FindStringIndex(clause[start:])
		if loc == nil {
			return 0, 0, false
		}
		from, to = start+loc[0], start+loc[1]
		before := clause[:from]
		if !negated.MatchString(before) && !idle.MatchString(before) {
			return from, to, true
		}
		start = from + 1
	}
	return 0, 0, false
}

// clauses are the ranges between the breaks.
func clauses(classes string) [][2]int {
	var ranges [][2]int
	start := 0
	for i := 0; i <= len(classes); i++ {
		if i == len(classes) || classes[i] == '.' {
			if i > start {
				ranges = append(ranges, [2]int{start, i})
			}
			start = i + 1
		}
	}
	return ranges
}

// classify gives one class for each word, '.' where a clause begins, and for each class the index of its word; one more
// index stands for the end. Phrases take one class for all their words.
func classify(t text) (string, []int) {
	folded := make([]string, 0, len(t.words)+4)
	breaks, from := make([]bool, 0, len(t.words)+4), make([]int, 0, len(t.words)+4)
	for i, w := range t.words {
		for j, part := range correct(w.folded) {
			folded, breaks, from = append(folded, part), append(breaks, j == 0 && w.afterBreak), append(from, i)
		}
	}
	var out strings.Builder
	at := make([]int, 0, len(folded)+4)
	for i := 0; i < len(folded); {
		if i > 0 && breaks[i] {
			out.WriteByte('.')
			at = append(at, from[i])
		}
		class, n := phraseAt(folded[i:], breaks[i:])
		out.WriteByte(class)
		at = append(at, from[i])
		i += n
	}
	return out.String(), append(at, len(t.words))
}

// phraseAt is the class of the longest known phrase at the beginning of words, and its length.
func phraseAt(words []string, breaks []bool) (byte, int) {
	for _, p := range phrases[words[0]] {
		if len(p.words) <= len(words) && p.matches(words, breaks) {
			return p.class, len(p.words)
		}
	}
	if class, ok := classes[words[0]]; ok {
		return class, 1
	}
	return '_', 1
}
