package decide

import (
	"strings"
	"testing"
)

func TestContact(t *testing.T) {
	t.Parallel()
	tests := map[string]Reachable{
		"ada@example.com": {Email: "ada@example.com", Alone: true, Attempt: true},
		"Sure, it's Ada.Lovelace+shop@mail.example.co.uk.": {Email: "Ada.Lovelace+shop@mail.example.co.uk", Alone: true, Attempt: true},
		"<ada@example.com>, thanks":                        {Email: "ada@example.com", Alone: true, Attempt: true},
		"meine Adresse ist jörg@müller.example":            {Email: "jörg@müller.example", Alone: true, Attempt: true},
		"ada@example..com":                                 {Alone: true, Attempt: true},
		"ada@example":                                      {Alone: true, Attempt: true},
		"ada@-example.com":                                 {Alone: true, Attempt: true},
		".ada.@example.com":                                {Email: "", Alone: true, Attempt: true},
		"a..b@example.com":                                 {Alone: true, Attempt: true},
		"not@this either@ada.example":                      {Email: "either@ada.example", Alone: true, Attempt: true},
		strings.Repeat("a", 65) + "@example.com":           {Alone: true, Attempt: true},
		"ada@" + strings.Repeat("b", 64) + ".com":          {Alone: true, Attempt: true},
		"+49 30 901820":                                    {Phone: "+4930901820", Alone: true, Attempt: true},
		"call me: 0049 (30) 901-820":                       {Phone: "+4930901820", Alone: true, Attempt: true},
		"+1 (415) 555-0100 or ada@example.com":             {Email: "ada@example.com", Phone: "+14155550100", Alone: true, Attempt: true},
		"030 901820":                                       {Alone: true, Attempt: true},
		"+49 30":                                           {Alone: true},
		"+1234567890123456":                                {Alone: true, Attempt: true},
		"ada+4930901820@example.com":                       {Email: "ada+4930901820@example.com", Alone: true, Attempt: true},
		"no":                                               {Alone: true},
		"":                                                 {Alone: true},
		"how long will it take?":                           {Alone: true},
		"my old account was ada@example.com but I closed it": {Email: "ada@example.com", Attempt: true},
	}
	for text, want := range tests {
		if got := Contact(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
