package copilot

import (
	"cmp"
	"math"
	"slices"
	"sync"
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

// index returns the index that stems documents and questions as the language does. All languages without a stemmer and
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

// The weights of BM25 (k1, b: Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, their usual
// values) and of the confidence, see index.confidence. The latter were chosen on testdata/questions.yaml.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
	// headingBoost counts a word of the heading as this many words of the text: headings of an FAQ are its questions.
	headingBoost = 3
	// textMatch is what a word found only in the text counts for, where one found in the heading counts 1.
	textMatch = 0.8
	// weakWeight is what a word like "need" or "time" counts for, where others count 1.
	weakWeight = 0.25
	// rankedByScore is how many of the best sections by BM25 are compared by confidence.
	rankedByScore = 8
	// threshold of the confidence from which a section answers a question.
	threshold = 0.5
)

// index is an inverted index of sections in one language.
type index struct {
	vocabulary
	sections []section
	postings map[string][]posting // ordered by section
	lengths  []float64            // in words, headings boosted
	average  float64
	headings []map[string]bool
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
	x := &index{vocabulary: v, sections: sections, postings: map[string][]posting{}}
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
		length, headings := 0.0, map[string]bool{}
		for term, p := range found {
			length += p.frequency
			x.postings[term] = append(x.postings[term], *p)
			if p.heading {
				headings[term] = true
			}
		}
		x.lengths, x.headings = append(x.lengths, length), append(x.headings, headings)
		x.average += length / float64(len(sections))
	}
	return x
}

// search returns at most limit sections that share words with the question, the most confident first.
func (x *index) search(question string, limit int) []hit {
	terms := x.terms(question)
	slices.Sort(terms)
	terms = slices.Compact(terms)
	scores := map[int]float64{}
	for _, term := range terms {
		postings := x.postings[term]
		for _, p := range postings {
			norm := bm25K1 * (1 - bm25B + bm25B*x.lengths[p.section]/x.average)
			scores[p.section] += x.weight(term) * x.idf(len(postings)) * p.frequency * (bm25K1 + 1) / (p.frequency + norm)
		}
	}
	hits := make([]hit, 0, len(scores))
	order := make([]int, 0, len(scores))
	for i := range scores {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), a-b) })
	for _, i := range order[:min(len(order), rankedByScore)] {
		hits = append(hits, hit{section: x.sections[i], score: scores[i], confidence: x.confidence(terms, i)})
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.confidence, a.confidence) })
	return hits[:min(len(hits), limit)]
}

// idf is BM25's inverse document frequency of a term that n sections have.
func (x *index) idf(n int) float64 {
	return math.Log(1 + (float64(len(x.sections)-n)+0.5)/(float64(n)+0.5))
}

func (x *index) confidence(terms []string, i int) float64 {
	var all, covered float64
	for _, term := range terms {
		w := x.weight(term)
		all += w
		j, ok := slices.BinarySearchFunc(x.postings[term], i, func(p posting, i int) int { return p.section - i })
		switch {
		case ok && x.postings[term][j].heading:
			covered += w
		case ok:
			covered += w * textMatch
		}
	}
	if all == 0 {
		return 0
	}
	return covered / all
}
