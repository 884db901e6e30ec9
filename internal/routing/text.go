package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Text is what the customer is told at an event: the policy's message in the customer's language, else the built-in
// one in that language, else the same in the Copilot's language, else the built-in English one. {position}, {agent}
// and {wait} are replaced by vars of those names.
func (t *Table) Text(event v1alpha1.MessageEvent, language string, ct v1alpha1.ChannelType, reason v1alpha1.HandoffReason, vars map[string]string) string {
	for _, lang := range []string{language, t.Copilot.Language, "en"} {
		if lang == "" {
			continue
		}
		if text, ok := t.message(event, lang, ct, reason); ok {
			return fill(text, vars)
		}
		if text, ok := builtIn(event, PrimaryLanguage(lang), vars); ok {
			return fill(text, vars)
		}
	}
	return ""
}

// message is the first of the policy's messages that fits; Compile puts the most specific first.
func (t *Table) message(event v1alpha1.MessageEvent, language string, ct v1alpha1.ChannelType, reason v1alpha1.HandoffReason) (string, bool) {
	if t.Policy == nil {
		return "", false
	}
	general, _, _ := strings.Cut(string(event), "/")
	event = v1alpha1.MessageEvent(general)
	for _, m := range t.Policy.Messages {
		if m.Event == event && (m.Language == "" || covers(m.Language, language)) && holds(m.ChannelTypes, ct) && holds(m.Reasons, reason) {
			return m.Text, true
		}
	}
	return "", false
}

// builtIn is the first built-in text all of whose variables are known.
func builtIn(event v1alpha1.MessageEvent, language string, vars map[string]string) (string, bool) {
	for _, text := range builtInTexts[event][language] {
		if !slices.ContainsFunc(variables, func(v string) bool { return strings.Contains(text, "{"+v+"}") && vars[v] == "" }) {
			return text, true
		}
	}
	return "", false
}

// variables are those of policies' messages.
var variables = []string{"position", "agent", "wait"}

// contactVariable is one of built-in texts alone.
const contactVariable = "contact"

// fill replaces the variables in one pass, so that a name in braces stays what it is.
func fill(text string, vars map[string]string) string {
	var pairs []string
	for _, v := range append(variables[:len(variables):len(variables)], contactVariable) {
		pairs = append(pairs, "{"+v+"}", vars[v])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Wait is how long a wait is about to take, for {wait}: in full minutes, from ten on in steps of five, from an hour on in
// half hours, rounded up. The units are the symbols of the SI, which most languages share.
func Wait(d time.Duration, language string) string {
	minute, hour := "min", "h"
	if PrimaryLanguage(language) == "ar" {
		minute, hour = "دقيقة", "ساعة"
	}
	step := time.Minute
	switch {
	case d > time.Hour:
		step = 30 * time.Minute
	case d > 10*time.Minute:
		step = 5 * time.Minute
	}
	d = max((d+step-1)/step*step, time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%d %s", int(d.Minutes()), minute)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Hours()), ".0") + " " + hour
}
