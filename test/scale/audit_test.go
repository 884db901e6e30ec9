package scale_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Who writes, as the audit log tells them apart: the operator by its user, the others by their user agent.
const (
	operatorUser = "operator"
	setupAgent   = "setup"
	usersAgent   = "users"
	standInAgent = "stand-in"
)

// write is an entry of the audit log: a request that changed something.
type write struct {
	RequestURI string `json:"requestURI"`
	Verb       string `json:"verb"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	UserAgent string `json:"userAgent"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestObject json.RawMessage `json:"requestObject"`
	Received      time.Time       `json:"requestReceivedTimestamp"`
}

// who names the writer: operatorUser or a user agent.
func (w *write) who() string {
	if w.User.Username == operatorUser {
		return operatorUser
	}
	return w.UserAgent
}

// what is the verb with the resource, such as "patch copilots/status".
func (w *write) what() string {
	verb := w.Verb
	if strings.Contains(w.RequestURI, "force=true") {
		verb = "apply"
	}
	if w.ObjectRef.Subresource != "" {
		return verb + " " + w.ObjectRef.Resource + "/" + w.ObjectRef.Subresource
	}
	return verb + " " + w.ObjectRef.Resource
}

// auditLog reads what was written since the last read. The server writes an entry before it answers the request.
type auditLog struct {
	path   string
	offset int64
}

// ours leaves out what the API server writes for itself.
func ours(who string) bool { return who == operatorUser || who == usersAgent || who == standInAgent }

// next returns the successful writes since the call before in the order in which they began. The log has them in the
// order in which they ended, and what somebody did on seeing a write may have ended before it.
func (l *auditLog) next() ([]*write, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(l.offset, io.SeekStart); err != nil {
		return nil, err
	}
	var out []*write
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			slices.SortStableFunc(out, func(a, b *write) int { return a.Received.Compare(b.Received) })
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		l.offset += int64(len(line))
		w := &write{}
		if err := json.Unmarshal(line, w); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		if w.ResponseStatus.Code < 300 && ours(w.who()) {
			out = append(out, w)
		}
	}
}

// by counts the writes of one writer by what was written.
func by(who string, writes []*write) map[string]int {
	out := map[string]int{}
	for _, w := range writes {
		if w.who() == who {
			out[w.what()]++
		}
	}
	return out
}

func total(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
