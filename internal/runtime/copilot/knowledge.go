package copilot

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// knowledge is all sections, with an index for each language that was asked for.
type knowledge struct {
	sections []section
	mu       sync.Mutex
	byLang   map[string]*index
}

func newKnowledge(sections []section) *knowledge {
	return &knowledge{sections: sections, byLang: map[string]*index{}}
}

// index returns, and makes the first time, the index that stems documents and questions as the language does. All languages without a stemmer and
// stop words share one, so that strange tags cost no memory.
func (k *knowledge) index(language string) *index {
	if stemmers[language] == nil && stopWords[language] == "" {
		language = ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byLang[language] == nil {
		k.byLang[language] = newIndex(vocabularyOf(language), k.sections)
	}
	return k.byLang[language]
}

// How sure a section answers a question cannot be read from BM25: its scores have no scale, they grow with the number of
// sections and the length of the question. What decides is therefore the share of the question that the section covers:
//
//	confidence = Σ weight(t)·covers(t) / Σ weight(t), over the question's different content words t
//
// where covers is 1 for a word of the headings, textMatch for one of the text only, prefixMatch times that for a related
// word, and 0 for one that the section lacks. It is 1 when the headings say all that the question says and 0 when they
// share no word. BM25 decides between sections that cover the same. (k1, b: Robertson and Zaragoza, "The Probabilistic
// Relevance Framework", 2009, their usual values.)
//
// The weights and the threshold were chosen on the tuned part of testdata/questions.yaml: its answerable questions begin at 0.51 but
// for one at 0.40, its others end at 0.33 but for one at 0.64.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
	// headingBoost counts a word of the heading as this many words of the text: headings of an FAQ are its questions.
	headingBoost = 3
	// textMatch is what a word found only in the text counts for, where one found in the heading counts 1.
	textMatch = 0.8
	// weakWeight is what a word like "need" or "time" counts for, where others count 1.
	weakWeight = 0.25
	// unknownWeight is what a word that the knowledge does not have counts for.
	unknownWeight = 0.7
	// minPrefix is how many letters two words must share at the beginning to match, maxSuffix how many one may have
	// more, and prefixMatch what that match counts for.
	minPrefix   = 4
	maxSuffix   = 5
	prefixMatch = 0.8
	// threshold of the confidence from which a section answers a question.
	threshold = 0.45
)

// index is an inverted index of sections in one language.
type index struct {
	vocabulary
	sections []section
	postings map[string][]posting // ordered by section
	lengths  []float64            // in words, headings boosted
	average  float64
	// dictionary is the terms of postings, sorted.
	dictionary []string
}

// posting says how often a term stands in a section.
type posting struct {
	section   int
	frequency float64 // headings boosted
	heading   bool
}

// hit is a section that shares words with a question.
type hit struct {
	section
	confidence float64 // [0,1]
	score      float64 // BM25
}

func confidence(hits []hit) float64 {
	if len(hits) == 0 {
		return 0
	}
	return hits[0].confidence
}

func newIndex(v vocabulary, sections []section) *index {
	v.roots = map[string]string{}
	x := &index{vocabulary: v, sections: sections, postings: map[string][]posting{}}
	x.roots = nil
	for i, s := range sections {
		found := map[string]*posting{}
		count := func(text string, boost float64, heading bool) {
			for _, term := range v.terms(text) {
				if found[term] == nil {
					found[term] = &posting{section: i}
				}
				found[term].frequency += boost
				found[term].heading = found[term].heading || heading
			}
		}
		for _, heading := range s.path {
			count(heading, headingBoost, true)
		}
		count(s.text, 1, false)
		length := 0.0
		for term, p := range found {
			length += p.frequency
			x.postings[term] = append(x.postings[term], *p)
		}
		x.lengths = append(x.lengths, length)
		x.average += length / float64(len(sections))
	}
	x.dictionary = slices.Sorted(maps.Keys(x.postings))
	return x
}

// search returns at most limit sections that share words with the question, the most confident first.
func (x *index) search(question string, limit int) []hit {
	terms := x.terms(question)
	slices.Sort(terms)
	terms = slices.Compact(terms)
	var all float64
	found := map[int]*hit{}
	for _, term := range terms {
		weight := x.questionWeight(term)
		all += weight
		for i, m := range x.matches(term) {
			h := found[i]
			if h == nil {
				h = &hit{section: x.sections[i]}
				found[i] = h
			}
			h.confidence += weight * m.covers
			h.score += x.weight(term) * m.score
		}
	}
	order := make([]int, 0, len(found))
	for i, h := range found {
		h.confidence /= all
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(found[b].confidence, found[a].confidence), cmp.Compare(found[b].score, found[a].score), a-b)
	})
	hits := make([]hit, 0, limit)
	for _, i := range order[:min(len(order), limit)] {
		hits = append(hits, *found[i])
	}
	return hits
}

// match says how well a section has one term of the question.
type match struct {
	covers float64 // [0,1], for the confidence
	score  float64 // BM25
}

// matches finds the sections that have the term, or a word that begins with it or that it begins with: "deliver" and
// "delivery", "Rahmen" and "Rahmenhöhe". The best match of a section counts.
func (x *index) matches(term string) map[int]match {
	out := map[int]match{}
	x.addMatches(out, term, 1)
	if n := utf8.RuneCountInString(term); n >= minPrefix {
		from, _ := slices.BinarySearch(x.dictionary, term)
		for _, longer := range x.dictionary[from:] {
			if !strings.HasPrefix(longer, term) {
				break
			}
			if m := utf8.RuneCountInString(longer); m > n && m <= n+maxSuffix {
				x.addMatches(out, longer, prefixMatch)
			}
		}
		runes := []rune(term)
		for m := max(minPrefix, n-maxSuffix); m < n; m++ {
			x.addMatches(out, string(runes[:m]), prefixMatch)
		}
	}
	return out
}

func (x *index) addMatches(out map[int]match, term string, factor float64) {
	postings := x.postings[term]
	idf := math.Log(1 + (float64(len(x.sections)-len(postings))+0.5)/(float64(len(postings))+0.5))
	for _, p := range postings {
		norm := bm25K1 * (1 - bm25B + bm25B*x.lengths[p.section]/x.average)
		m := match{covers: factor * textMatch, score: factor * idf * p.frequency * (bm25K1 + 1) / (p.frequency + norm)}
		if p.heading {
			m.covers = factor
		}
		if m.covers > out[p.section].covers {
			out[p.section] = m
		}
	}
}

// questionWeight is how much of the question a term is. Words that the knowledge does not have are often the customer's
// own things ("my shoes"), numbers even more so ("order 4711").
func (x *index) questionWeight(term string) float64 {
	w := x.weight(term)
	if len(x.postings[term]) > 0 {
		return w
	}
	if unicode.IsDigit([]rune(term)[0]) {
		return weakWeight
	}
	return w * unknownWeight
}
