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

// Session is a signed-in agent.
type Session struct {
	Agent     routing.Agent
	ExpiresAt time.Time
}

// NewCode makes a one-time login code for an agent of the table. Who may call it decides who may sign in: it is only
// reachable from inside the pod.
func (t *Tenant) NewCode(ctx context.Context, email string) (code string, expires time.Time, err error) {
	in, err := t.inputs()
	if err != nil {
		return "", time.Time{}, err
	}
	a, ok := in.table.AgentByEmail(strings.ToLower(email))
	if !ok {
		return "", time.Time{}, &Invalid{"agent", fmt.Sprintf("%q is in no AgentPool of Copilot %s; the agents are %s",
			clip(email), in.table.Copilot.Name, strings.Join(emails(in.table), ", "))}
	}
	now := t.clock.Now()
	code, expires = secret(), now.Add(codeLifetime)
	err = t.store.Update(ctx, func(tx store.Tx) error { return tx.PutCode(hash(code), a.Email, expires, now) })
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
	now := t.clock.Now()
	var email string
	err = t.store.Update(ctx, func(tx store.Tx) (err error) {
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
	a, ok := in.table.AgentByEmail(email)
	if !ok {
		return "", s, ErrCode
	}
	key, err := t.signingKey(ctx)
	if err != nil {
		return "", s, err
	}
	s = Session{Agent: a, ExpiresAt: now.Add(SessionLifetime).Truncate(time.Second)}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: a.Email, Audience: jwt.ClaimStrings{audience(in.table)},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(s.ExpiresAt),
	}).SignedString(key)
	return token, s, err
}

// SignedIn returns the session of a token. An agent who was removed from every pool has none any more.
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
	a, ok := in.table.AgentByEmail(claims.Subject)
	if !ok {
		return s, ErrUnauthorized
	}
	return Session{Agent: a, ExpiresAt: claims.ExpiresAt.Time}, nil
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
