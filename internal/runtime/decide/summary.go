package decide

import (
	"fmt"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// SummaryInput is what a summary is made from.
type SummaryInput struct {
	// Messages of the AI's context window, oldest first.
	Messages []Message
	Decision Decision
	// CustomerName and Channel are shown to the agent if not empty. The name is what the customer says it is.
	CustomerName string
	Channel      string
}

// Summary is the two texts of a handoff. Agent is in English, for the human who takes over. Customer is in the
// conversation's language, speaks to the customer, and has nothing of the evidence in it. Both are redacted; neither is
// ever empty.
type Summary struct {
	Agent    string
	Customer string
}

// Lengths of quotations in runes.
const (
	quoteForAgent    = 280
	quoteForCustomer = 160
)

// Summarize extracts a summary without a model: it quotes what the customer wants and says last, and what was answered.
func Summarize(in SummaryInput) Summary {
	return Summary{Agent: agentSummary(in), Customer: customerSummary(in)}
}

func agentSummary(in SummaryInput) string {
	c := readConversation(in.Messages)
	var lines []string
	add := func(label, text string) { lines = append(lines, label+": "+text) }
	add("Customer", who(in))
	if c.wants == "" {
		add("Wants", "nothing was written yet")
	} else {
		add("Wants", quote(c.wants, quoteForAgent))
	}
	if c.last != c.wants {
		add("Latest message", quote(c.last, quoteForAgent))
	}
	add("Tried", tried(c))
	add("Open", open(in.Decision))
	add("Sentiment", sentimentLine(in.Decision))
	return strings.Join(lines, "\n")
}

func who(in SummaryInput) string {
	name := oneLine(Redact(in.CustomerName))
	if name == "" {
		name = "name unknown"
	}
	facts := []string{name}
	if in.Channel != "" {
		facts = append(facts, "by "+in.Channel)
	}
	if in.Decision.Language != "" {
		facts = append(facts, "writes "+in.Decision.Language)
	}
	if in.Decision.IssueType != "" {
		facts = append(facts, "about "+in.Decision.IssueType)
	}
	return strings.Join(facts, ", ")
}

func tried(c conversation) string {
	switch c.answers {
	case 0:
		return "the AI has not answered anything"
	case 1:
		return "the AI answered: " + quote(c.answer, quoteForAgent)
	default:
		return fmt.Sprintf("the AI answered %d times, last: %s", c.answers, quote(c.answer, quoteForAgent))
	}
}

func open(d Decision) string {
	switch d.Reason {
	case v1alpha1.HandoffHumanRequested:
		return "the customer asked for a human"
	case v1alpha1.HandoffForbiddenTopic:
		return "the AI must not handle this topic"
	case v1alpha1.HandoffNegativeSentiment:
		return "the customer is not content with the answers"
	case v1alpha1.HandoffNotUnderstood:
		return "the AI found no answer"
	case v1alpha1.HandoffModelFailure:
		return "the AI could not answer because its model failed"
	case v1alpha1.HandoffTurnLimit:
		return "not solved within the AI's limit of turns"
	case v1alpha1.HandoffRule:
		return "a rule of the policy asks for a human"
	case v1alpha1.HandoffAgentTookOver:
		return "an agent took over"
	case v1alpha1.HandoffCustomerLeft:
		return "the customer left with the question open"
	default:
		return "the customer's latest message"
	}
}

func sentimentLine(d Decision) string {
	sentiment := string(d.Sentiment)
	if sentiment == "" {
		sentiment = string(v1alpha1.SentimentNeutral)
	}
	if len(d.Evidence) == 0 {
		return sentiment
	}
	quoted := make([]string, len(d.Evidence))
	for i, e := range d.Evidence {
		quoted[i] = quote(e, quoteForAgent)
	}
	return sentiment + " (words that led here: " + strings.Join(quoted, ", ") + ")"
}

func customerSummary(in SummaryInput) string {
	w := wordingFor(in.Decision.Language)
	wants := readConversation(in.Messages).wants
	parts := []string{w.passing}
	if q := quote(wants, quoteForCustomer); wants != "" {
		parts = append(parts, strings.ReplaceAll(w.wants, "{wants}", q))
	}
	return strings.Join(append(parts, w.repeat), " ")
}

// conversation is what a summary needs to know of the messages.
type conversation struct {
	// wants is the customer's newest message that is more than a greeting, a request for a human or a few words; else the
	// newest one of any kind. last is the newest.
	wants, last string
	// answer is the AI's last of answers.
	answer  string
	answers int
}

// enoughWords is how many words a message needs to say what its author wants.
const enoughWords = 4

func readConversation(messages []Message) conversation {
	var c conversation
	for _, m := range messages {
		said := oneLine(m.Text)
		if said == "" {
			continue
		}
		switch m.Author {
		case AI:
			c.answer = said
			c.answers++
		case Customer:
			c.last = said
			if substantial(said) {
				c.wants = said
			}
		}
	}
	if c.wants == "" {
		c.wants = c.last
	}
	return c
}

func substantial(s string) bool {
	t := parse(s)
	r := requestOf(t)
	return len(t.words)-len(strings.Fields(r.words)) >= enoughWords && (r.strength == requestNone || len(t.words) > 3*enoughWords)
}

// quote is a redacted text on one line in quotation marks, cut to at most n runes at a word.
func quote(s string, n int) string {
	s = oneLine(Redact(s))
	runes := []rune(s)
	if len(runes) > n {
		cut := string(runes[:n])
		if i := strings.LastIndexByte(cut, ' '); i > n/2 {
			cut = cut[:i]
		}
		s = cut + "…"
	}
	return "“" + s + "”"
}

// oneLine is the text with every run of white space as one space.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
}
