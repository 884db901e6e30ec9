// Package decide says when a human must take over, and why: an explicit request for a human, a forbidden topic, the
// customer's mood, too many turns, no answer, a failed model. It also says what the conversation is about, in which
// language, and writes the summaries that go with a handoff.
//
// It is pure: no model, no client, no clock. The same input always gives the same Decision, so a handoff needs nothing
// that can be down. Everything here is rules and word lists; English is covered well, German, French, Spanish, Dutch
// and Arabic only for explicit requests for a human and the plainest words of anger.
package decide
