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
	if len(t.raw) == 0 {
		return mood{sentiment: v1alpha1.SentimentNeutral}
	}
	points, glad := 0, 0
	var evidence []string
	add := func(p int, why string) {
		if p != 0 {
			points += p
			evidence = append(evidence, why)
		}
	}
	folded := t.folded()
	for _, c := range cues {
		if p, words := c.in(folded); p != 0 {
			add(p, words)
		}
	}
	compound := analyzer().PolarityScores(t.raw).Compound
	switch {
	case compound <= veryNegative:
		points += 2
	case compound <= negative:
		points++
	case compound >= positive:
		glad++
	}
	if p, words := shouting(t); p != 0 {
		add(p, words)
	}
	sad, happy, faces := emoji(t.raw)
	add(sad, faces)
	glad += happy
	if marks := marksRun.FindString(t.raw); marks != "" && points > 0 {
		add(1, marks)
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

var marksRun = regexp.MustCompile(`[!?]{2,}`)

// shouting: at least two long words and more than half of the letters in capitals.
func shouting(t text) (int, string) {
	upper, letters, long := 0, 0, 0
	var first string
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
		if all >= 3 && up == all && len(w.written) == len(w.folded) {
			long++
			if first == "" {
				first = w.written
			}
		}
	}
	if long < 2 || upper*2 <= letters {
		return 0, ""
	}
	return 2, "in capitals: " + first
}

const (
	angryFaces = "😡🤬👿😠💢🖕😤"
	sadFaces   = "😞😢🙁👎😒😩😫😭😖😣"
	gladFaces  = "😊😀😃😄😁🙂👍❤😍🥰🎉😂🤗🙏"
)

// emoji are the points of angry and sad faces, the number of glad ones, and the faces that gave points.
func emoji(s string) (points, glad int, faces string) {
	for _, r := range s {
		if r < 0x2000 {
			continue
		}
		switch {
		case strings.ContainsRune(angryFaces, r):
			points += angryPoints
			faces += string(r)
		case strings.ContainsRune(sadFaces, r):
			points += dissatisfiedPoints
			faces += string(r)
		case strings.ContainsRune(gladFaces, r):
			glad++
		}
	}
	return min(points, angryPoints), glad, faces
}

// analyzer is VADER without the words that are no feelings in support: politeness, and the troubles people neutrally
// ask about.
var analyzer = sync.OnceValue(func() *govader.SentimentIntensityAnalyzer {
	a := govader.NewSentimentIntensityAnalyzer()
	for w := range neutralTerms {
		delete(a.Lexicon, w)
	}
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
