package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dialect is what differs between the databases. The rest of their SQL is the same: both count parameters as $1.
type dialect struct {
	// forUpdate and skipLocked end a SELECT that takes the locks of its rows, forShare one that others may share.
	forUpdate, skipLocked, forShare string
	// in is the condition that a column is one of the list $1, which list makes of its elements.
	in   func(column string) string
	list func([]string) any
	// violates says whether an error is about a constraint.
	violates func(err error, constraint string) bool
}

// The constraints whose violation has a meaning.
const (
	uniqueConversation = "conversations_pkey"
	uniqueClientID     = "events_client"
	knownConversation  = "deadlines_conversation_fkey"
)

// storable returns an error for text that PostgreSQL has no place for. SQLite has, but both should do the same.
func storable(args []any) error {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (strings.ContainsRune(s, 0) || !utf8.ValidString(s)) {
			return fmt.Errorf("%.64q has the character U+0000 or is not UTF-8, which the store cannot keep; leave it out", s)
		}
	}
	return nil
}
