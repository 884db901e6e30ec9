package decide

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/jonreiter/govader"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// mood is what a message says about how the customer feels, with the words that show it.
type mood struct {
	sentiment v1alpha1.Sentiment
	evidence  []string
}

// Points of anger. A message with angryPoints is Angry, with dissatisfiedPoints Dissatisfied.
const (
	angryPoints        = 4
	dissatisfiedPoints = 2
)

// Compound scores of VADER (-1 to 1) at which its judgement counts. It was made for tweets; the terms of support are
// taken out of its lexicon (see analyzer).
const (
	veryNegative = -0.65
	negative     = -0.35
	positive     = 0.55
)

// losingPatience is how many Dissatisfied messages in a row, the newest included, are Angry. Two are not: a customer
// who describes a trouble in two messages is not angry yet.
const losingPatience = 3

// moodOf is the mood of the customer's newest message. The window is context: who goes on complaining after an angry
// message is still angry, and the third complaint in a row is anger. A calm newest message is calm.
func moodOf(messages []Message, newest text) mood {
	m := moodOfText(newest)
	if m.sentiment != v1alpha1.SentimentDissatisfied {
		return m
	}
	earlier := customerMessages(messages)
	row := 1
	for i := len(earlier) - 2; i >= 0 && row < losingPatience; i-- {
		before := moodOfText(parse(earlier[i])).sentiment
		if before == v1alpha1.SentimentAngry {
			return mood{before, append(m.evidence, "was angry before")}
		}
		if before != v1alpha1.SentimentDissatisfied {
			break
		}
		row++
	}
	if row >= losingPatience {
		return mood{v1alpha1.SentimentAngry, append(m.evidence, "third complaint in a row")}
	}
	return m
}

func moodOfText(t text) mood {
	if len(t.words) == 0 && len(t.raw) == 0 {
		return mood{sentiment: v1alpha1.SentimentNeutral}
	}
	compound := analyzer().PolarityScores(t.raw).Compound
	points, evidence := cuePoints(t, compound >= positive)
	switch {
	case compound <= veryNegative:
		points += 2
	case compound <= negative:
		points++
	}
	cross, sad, glad := faces(t.raw)
	switch {
	case cross != "":
		points += angryPoints
		evidence = append(evidence, cross)
	case sad != "":
		points = max(points, dissatisfiedPoints)
		evidence = append(evidence, sad)
	}
	if compound >= positive {
		glad++
	}
	if word := masked.FindString(t.raw); word != "" {
		evidence = append(evidence, word)
		points += 3
	}
	if words := shouting(t); words != "" {
		evidence = append(evidence, words)
		points += min(2, 1+points)
	}
	if marks := marksRun.FindString(t.raw); marks != "" && points > 0 {
		evidence = append(evidence, marks)
		points++
	}
	if len(evidence) == 0 && points > 0 {
		evidence = append(evidence, "the wording as a whole")
	}
	return mood{sentimentOf(points, glad), evidence}
}

func sentimentOf(points, glad int) v1alpha1.Sentiment {
	switch {
	case points >= angryPoints:
		return v1alpha1.SentimentAngry
	case points >= dissatisfiedPoints:
		return v1alpha1.SentimentDissatisfied
	case glad > 0 && points == 0:
		return v1alpha1.SentimentHappy
	default:
		return v1alpha1.SentimentNeutral
	}
}

// masked swearing: f***ing, s**t.
var masked = regexp.MustCompile(`\b[fsabcdFSABCD]\*{2,}[a-zA-Z]*`)

var marksRun = regexp.MustCompile(`[!?]{2,}`)

// shouting is at least two words of three letters and more than half of all letters in capitals. It gives the first such
// word, or nothing. Alone it is little: some people write so.
func shouting(t text) string {
	upper, letters, long := 0, 0, 0
	first := ""
	for _, w := range t.words {
		up, all := 0, 0
		for _, r := range w.written {
			if unicode.IsLetter(r) {
				all++
			}
			if unicode.IsUpper(r) {
				up++
			}
		}
		upper, letters = upper+up, letters+all
		if all >= 3 && up == all {
			if long++; first == "" {
				first = w.written
			}
		}
	}
	if long < 2 || upper*2 <= letters {
		return ""
	}
	return "in capitals: " + first
}

const (
	angryFaces = "😡🤬👿😠💢🖕😤"
	sadFaces   = "😞😢🙁👎😒😩😫😭😖😣"
	gladFaces  = "😊😀😃😄😁🙂👍❤😍🥰🎉😂🤗🙏"
)

// faces are the angry and the sad faces of a text and the number of glad ones.
func faces(s string) (cross, sad string, glad int) {
	for _, r := range s {
		switch {
		case r < 0x2000:
		case strings.ContainsRune(angryFaces, r):
			cross += string(r)
		case strings.ContainsRune(sadFaces, r):
			sad += string(r)
		case strings.ContainsRune(gladFaces, r):
			glad++
		}
	}
	return cross, sad, glad
}

// analyzer is VADER without the words that are no feelings in support: politeness, and the troubles people neutrally
// ask about.
var analyzer = sync.OnceValue(func() *govader.SentimentIntensityAnalyzer {
	a := govader.NewSentimentIntensityAnalyzer()
	for w := range neutralTerms {
		delete(a.Lexicon, w)
	}
	a.EmojiDict = nil // read as words such as "disappointed" otherwise; faces counts them
	return a
})

var neutralTerms = set(`like please help helps helped helping want wants need care support supporting share shares shared
	credit credits interest interested active save saved saves safe safely secure security secured trust gift gifts free join play
	party sure yes ok okay certain hand top true value number no
	cancel canceled cancelled cancelling canceling cancels dispute disputes disputed charge charged charges fraud fraudulent
	lost lose loss losing stolen steal stole theft missing error errors fail failed fails failure problem problems trouble
	declined decline rejected reject refused wrong pay paid debt debts fee block blocked stuck stop stopped drop
	emergency urgent fire sick pain death dead die kill crash crashed broken broke damage damaged demand
	complaint complaints complain complaining lodge limited low alone leave cut`)
