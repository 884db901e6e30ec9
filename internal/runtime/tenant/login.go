package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// codeLifetime is how long a one-time login code waits to be used: long enough to open a link by hand.
	codeLifetime = 5 * time.Minute
	// SessionLifetime is how long an agent's token is valid: a working day.
	SessionLifetime = 10 * time.Hour
	// agentKey names the store's key that signs agents' tokens.
	agentKey = "agent-tokens"
)

// ErrUnauthorized is returned for a token that is not valid (any more).
var ErrUnauthorized = errors.New("the token is not valid or has expired; sign in again with `kubectl handoff login` (with --run-dir on a laptop)")

// ErrCode is returned for a login code that is unknown, used or too old.
var ErrCode = fmt.Errorf("the login code was used already or is older than %s; make another with `kubectl handoff login` (with --run-dir on a laptop)", codeLifetime)

// Refusals of what somebody who is signed in has no right to.
var (
	ErrNotSupervisor = errors.New("only a supervisor may do this; spec.inbox.roles of the Copilot says who is one")
	ErrNotAgent      = errors.New("only an agent of one of the Copilot's pools may do this")
)

// Session is somebody who is signed in: an agent of a pool, a supervisor, or both.
type Session struct {
	// Agent is the person. A supervisor who is in no pool has an e-mail address and a name only.
	Agent routing.Agent
	// InPool says that they are an agent of a pool, Supervisor that they have a supervisor's rights.
	InPool, Supervisor bool
	ExpiresAt          time.Time
}

// whoIs finds who may sign in with an e-mail address in lower case; false if nobody may.
func whoIs(tb *routing.Table, email string) (s Session, ok bool) {
	s.Supervisor = tb.IsSupervisor(email)
	if s.Agent, s.InPool = tb.AgentByEmail(email); !s.InPool {
		s.Agent = routing.Agent{Email: email, DisplayName: email}
	}
	return s, s.InPool || s.Supervisor
}

// NewCode makes a one-time login code for an agent or supervisor of the table. Who may call it decides who may sign in: it is only
// reachable from inside the pod.
func (t *Tenant) NewCode(ctx context.Context, email string) (code string, expires time.Time, err error) {
	in, err := t.inputs()
	if err != nil {
		return "", time.Time{}, err
	}
	who, ok := whoIs(in.table, strings.ToLower(email))
	if !ok {
		return "", time.Time{}, &Invalid{"agent", fmt.Sprintf("%q is in no AgentPool of Copilot %s and no supervisor of it; the agents are %s",
			clip(email), in.table.Copilot.Name, strings.Join(emails(in.table), ", "))}
	}
	code = secret()
	err = t.store.Update(ctx, func(tx store.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		expires = now.Add(codeLifetime)
		return tx.PutCode(hash(code), who.Agent.Email, expires, now)
	})
	return code, expires, err
}

// emails lists the table's agents, shortened for a message.
func emails(tb *routing.Table) []string {
	var out []string
	for _, p := range tb.Pools {
		for _, a := range p.Agents {
			if len(out) == 10 {
				return append(out, "…")
			}
			out = append(out, a.Email)
		}
	}
	return out
}

// Redeem turns a one-time code into a token. A code works once.
func (t *Tenant) Redeem(ctx context.Context, code string) (token string, s Session, err error) {
	var now time.Time
	var email string
	err = t.store.Update(ctx, func(tx store.Tx) (err error) {
		if now, err = tx.Now(); err != nil {
			return err
		}
		email, err = tx.TakeCode(hash(code), now)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", s, ErrCode
	}
	if err != nil {
		return "", s, fmt.Errorf("redeeming a login code: %w", err)
	}
	in, err := t.inputs()
	if err != nil {
		return "", s, err
	}
	s, ok := whoIs(in.table, email)
	if !ok {
		return "", s, ErrCode
	}
	key, err := t.signingKey(ctx)
	if err != nil {
		return "", s, err
	}
	s.ExpiresAt = now.Add(SessionLifetime).Truncate(time.Second)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: s.Agent.Email, Audience: jwt.ClaimStrings{audience(in.table)},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(s.ExpiresAt),
	}).SignedString(key)
	return token, s, err
}

// SignedIn returns the session of a token. Who is no supervisor and was removed from every pool has none any more.
func (t *Tenant) SignedIn(ctx context.Context, token string) (s Session, err error) {
	in, err := t.inputs()
	if err != nil {
		return s, err
	}
	key, err := t.signingKey(ctx)
	if err != nil {
		return s, err
	}
	claims := jwt.RegisteredClaims{}
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithAudience(audience(in.table)),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(t.clock.Now))
	if err != nil {
		return s, ErrUnauthorized
	}
	s, ok := whoIs(in.table, claims.Subject)
	if !ok {
		return s, ErrUnauthorized
	}
	s.ExpiresAt = claims.ExpiresAt.Time
	return s, nil
}

// signingKey is the store's key of agents' tokens. It never changes, and asking for it is a write.
func (t *Tenant) signingKey(ctx context.Context) ([]byte, error) {
	if key := t.signing.Load(); key != nil {
		return *key, nil
	}
	key, err := t.store.Key(ctx, agentKey)
	if err != nil {
		return nil, fmt.Errorf("reading the key that signs tokens: %w", err)
	}
	t.signing.Store(&key)
	return key, nil
}

func audience(tb *routing.Table) string { return tb.Copilot.Namespace + "/" + tb.Copilot.Name }
