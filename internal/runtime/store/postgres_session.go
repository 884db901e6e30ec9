package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errRolledBack is what COMMIT of a transaction in which something failed comes to.
var errRolledBack = errors.New("PostgreSQL rolled the transaction back")

// postgresSession is a transaction of PostgreSQL. What needs no answer goes to the server with the next query or the
// commit, in one round trip: the begin too.
type postgresSession struct {
	conn *pgxpool.Conn
	// begin is the statement that begins the transaction; begun says that it was sent, and ended that the commit was.
	begin        string
	begun, ended bool
}

// begin takes a connection for a transaction.
func beginPostgres(ctx context.Context, pool *pgxpool.Pool, begin string) (*postgresSession, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresSession{conn: conn, begin: begin}, nil
}

func (s *postgresSession) query(ctx context.Context, before []statement, query string, args []any, fn func(scan func(...any) error) error) error {
	results := s.send(ctx, before, query, args...)
	err := received(results, before)
	if err == nil {
		err = eachRow(results, fn)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	return err
}

func (s *postgresSession) commit(ctx context.Context, last []statement) error {
	if !s.begun { // on its own: that a connection is lost shows before the commit may have been received
		if _, err := s.conn.Exec(ctx, s.begin); err != nil {
			return statementError{err}
		}
		s.begun = true
	}
	results := s.send(ctx, last, "commit")
	err := received(results, last)
	if err == nil {
		var tag pgconn.CommandTag
		if tag, err = results.Exec(); err == nil && tag.String() != "COMMIT" {
			err = errRolledBack
		}
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	s.ended = err == nil
	return err
}

// send sends statements and one more, after the begin if that was not sent yet.
func (s *postgresSession) send(ctx context.Context, before []statement, last string, args ...any) pgx.BatchResults {
	batch := &pgx.Batch{}
	begins := !s.begun
	if begins {
		s.begun = true
		batch.Queue(s.begin)
	}
	for _, st := range before {
		batch.Queue(st.query, st.args...)
	}
	batch.Queue(last, args...)
	results := s.conn.SendBatch(ctx, batch)
	if begins {
		_, _ = results.Exec() // its error is that of whatever is read next
	}
	return results
}

// received reads the answers to statements. Only one that the server refused is known not to be committed.
func received(results pgx.BatchResults, sent []statement) error {
	for _, st := range sent {
		if _, err := results.Exec(); err != nil {
			if code(err) != "" {
				return st.failed(&postgresDialect, err)
			}
			return err
		}
	}
	return nil
}

func eachRow(results pgx.BatchResults, fn func(scan func(...any) error) error) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// close is not bound to the context of the transaction: one whose caller has left need not cost the connection.
func (s *postgresSession) close() {
	if s.begun && !s.ended && !s.conn.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_, _ = s.conn.Exec(ctx, "rollback") // a connection that is still in a transaction is not used again
	}
	s.conn.Release()
}
