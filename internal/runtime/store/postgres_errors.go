package store

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// errSlow ends a transaction that takes too long: the server is silent, all connections are in use, or another
// transaction keeps a lock.
var errSlow = errors.New("PostgreSQL did not answer in time, or all connections of the runtime were in use")

// SQLSTATE codes, of PostgreSQL's documentation, appendix A.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	insufficientRight    = "42501"
	readOnlyTransaction  = "25006"
	idleInTransaction    = "25P03"
)

// awayCodes begin the codes of a server that does not serve now: lost connections, no resources (connections, disk,
// memory), an administrator's shutdown, a crash and a start.
var awayCodes = []string{"08", "53", "57P", "58", readOnlyTransaction, idleInTransaction}

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// again says whether a transaction failed only because of others at the same time.
func again(err error) bool {
	c := code(err)
	return errors.Is(err, ErrAgain) || c == serializationFailure || c == deadlockDetected
}

// away says whether an error means that the database cannot be reached or does not serve now.
func away(err error) bool {
	if err == nil {
		return false
	}
	if c := code(err); c != "" {
		for _, prefix := range awayCodes {
			if strings.HasPrefix(c, prefix) {
				return true
			}
		}
		return false
	}
	if unverified(err) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, errSlow) || errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, driver.ErrBadConn)
}

// unverified says whether the server's certificate is not what the DSN asks for.
func unverified(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

func violatesPostgres(err error, constraint string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.ConstraintName == constraint
}

// describe returns an attempt's error: fn's own as it is, unless the database failed beneath it.
func (s *Postgres) describe(ctx context.Context, out outcome) error {
	switch {
	case out.failed != nil && out.doing == doingCommit && away(slow(ctx, out.failed)):
		return s.failed(ctx, "commit, of which the outcome is unknown: repeat with the same id,", out.failed)
	case out.failed != nil:
		return s.failed(ctx, out.doing, out.failed)
	case away(slow(ctx, out.err)):
		return s.failed(ctx, "write", out.err)
	default:
		return out.fnErr
	}
}

// failed wraps an error of the database, with ErrUnavailable if it will heal by itself.
func (s *Postgres) failed(ctx context.Context, doing string, err error) error {
	err = slow(ctx, ended(ctx, err))
	if away(err) {
		return fmt.Errorf("%s in the store in schema %s: %w: %w", doing, s.schema, ErrUnavailable, err)
	}
	return fmt.Errorf("%s in the store in schema %s: %w", doing, s.schema, err)
}

// slow returns errSlow for an error that the store's own timeout caused.
func slow(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return errSlow
	}
	return err
}

// advise says what an administrator can do about an error of opening the store.
func advise(err error) error {
	switch {
	case code(err) == insufficientRight:
		return fmt.Errorf("%w; let the role create schemas (GRANT CREATE ON DATABASE ... TO ...), or make the schema and let the role own it", err)
	case unverified(err):
		return fmt.Errorf("%w; name the file with the server's authority in the DSN by sslrootcert, or in PGSSLROOTCERT, and connect to a name that the certificate has", err)
	case away(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}
