package copilot

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// manySections makes n sections of about 60 words. Words occur as often as in a language (Zipf), from 5,000.
func manySections(n int) []section {
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 4, 4999)
	text := func(words int) string {
		var out strings.Builder
		for range words {
			fmt.Fprintf(&out, "word%x ", zipf.Uint64()*2654435761%0xffffff)
		}
		return out.String()
	}
	sections := make([]section, n)
	for i := range sections {
		sections[i] = section{name: "faq", document: "faq.md", path: []string{text(2), text(5)}, text: text(60)}
	}
	return sections
}

// BenchmarkSearch looks a question up in 1,000 sections, beside the floor of reading all of them once for one word.
func BenchmarkSearch(b *testing.B) {
	sections := manySections(1000)
	question := "please tell me about " + sections[500].path[1]
	b.Run("search", func(b *testing.B) {
		x := newIndex(vocabularyOf("en"), sections)
		b.ReportAllocs()
		for b.Loop() {
			if hits := x.search(question, promptSections); hits[0].path[1] != sections[500].path[1] {
				b.Fatal("found another section")
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		word := strings.Fields(sections[500].path[1])[4]
		for b.Loop() {
			found := 0
			for i := range sections {
				if strings.Contains(sections[i].text, word) {
					found++
				}
			}
			if found == 0 {
				b.Fatal("found nothing")
			}
		}
	})
}

// BenchmarkIndex makes the index of 1,000 sections, as for each new table, beside the floor of cutting them into words.
func BenchmarkIndex(b *testing.B) {
	sections := manySections(1000)
	b.Run("index", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newIndex(vocabularyOf("en"), sections)
		}
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			for i := range sections {
				strings.Fields(sections[i].text)
			}
		}
	})
}
