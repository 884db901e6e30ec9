package decide

import "strings"

// correctable are the words of the vocabulary that are recognised with one typing error, by their first letter, which
// must be right.
var correctable = byInitial(`talk talking speak speaking chat chatting contact contacting reach connect transfer human agent person operator
	representative someone somebody assistant supervisor manager advisor employee customer service support assistance please`)

// otherWords are English words one letter away from a correctable one.
var otherWords = set(`contract contracts beach teach react task tall tale tank walk chart charts cheat coat cant manage managed manages spear
	speck chap char chip that hat what urgent services persona personas personal parson support supports serviced transfers transferees
	pleased peace reached chats talks speaks talked reason season customers custom customs content connects contacts humane human assistants
	employer employed chair cash chase shat`)

// correct is a folded word with one typing error mended, or cut in two where a space is missing ("talkto" is "talk",
// "to"). Words that are known, short or foreign stay as they are.
func correct(w string) []string {
	if _, known := classes[w]; known || len(w) < 4 || otherWords[w] || phraseWords[w] {
		return []string{w}
	}
	for cut := 1; cut < len(w); cut++ {
		if joinable[w[:cut]] && (classes[w[cut:]] != 0 || joinable[w[cut:]]) && len(w)-cut > 1 {
			return []string{w[:cut], w[cut:]}
		}
	}
	for _, c := range correctable[w[0]] {
		if oneError(w, c) {
			return []string{c}
		}
	}
	return []string{w}
}

// joinable are the first words of pairs that people write together.
var joinable = set(`talk speak chat talking speaking chatting contact connect with want need can help to an live real human customer how someone
	somebody`)

// phraseWords are the words that phrases are made of.
var phraseWords = func() map[string]bool {
	m := map[string]bool{}
	for _, list := range phrases {
		for _, p := range list {
			for _, w := range p.words {
				m[w] = true
			}
		}
	}
	return m
}()

func byInitial(words string) map[byte][]string {
	m := map[byte][]string{}
	for _, w := range strings.Fields(words) {
		m[w[0]] = append(m[w[0]], w)
	}
	return m
}

// oneError reports whether a becomes b by one letter changed, added or left out, or two neighbours swapped.
func oneError(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i+1 >= len(a) {
		return true
	}
	return a[i+1:] == b[i+1:] || a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
