package decide

import (
	"regexp"
	"strings"
	"testing"
)

var sink Decision

// BenchmarkDecide is the decision on usual windows, beside the floor: lower case and one expression over the text.
func BenchmarkDecide(b *testing.B) {
	inputs := map[string]Input{
		"short":  says("Where is my order?"),
		"usual":  says("I was charged twice for my order last week and nobody has answered my e-mail. Can you please check that for me?"),
		"window": says("Hello", "I was charged twice", "No, that is not what I asked", "It does not help", "Let me talk to a real person, please"),
		"long":   says(strings.Repeat("I was charged twice for my order last week and nobody has answered. ", 60)),
	}
	for _, name := range []string{"short", "usual", "window", "long"} {
		b.Run(name, func(b *testing.B) {
			p, in := policy(), inputs[name]
			Decide(p, in)
			b.ReportAllocs()
			for b.Loop() {
				sink = Decide(p, in)
			}
		})
	}
	floor := regexp.MustCompile(`(?:speak|talk|chat) (?:to|with) (?:an? )?(?:real )?(?:human|agent|person|operator|someone)`)
	b.Run("floor", func(b *testing.B) {
		in := inputs["usual"]
		b.ReportAllocs()
		for b.Loop() {
			sink.HandOff = floor.MatchString(strings.ToLower(in.Messages[0].Text))
		}
	})
}
