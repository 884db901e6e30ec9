package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// session runs the statements of one transaction.
type session interface {
	// query executes statements and then a query, and calls fn for each of its rows.
	query(ctx context.Context, before []statement, query string, args []any, fn func(scan func(...any) error) error) error
	// commit executes the last statements and commits.
	commit(ctx context.Context, last []statement) error
	// close rolls back what was not committed, and gives the connection back.
	close()
}

// statement writes, and nobody needs its answer before the next query or the commit: it goes to the database with that.
type statement struct {
	query string
	args  []any
	// doing and object say in an error what it is part of.
	doing, object string
	// means is what the violation of a constraint stands for.
	constraint string
	means      func() error
}

// statementError is the error of a statement. It was not the commit that failed.
type statementError struct{ error }

func (e statementError) Unwrap() error { return e.error }

// failed returns the error of a statement in the store's words.
func (s statement) failed(d *dialect, err error) error {
	if s.constraint != "" && d.violates(err, s.constraint) {
		err = s.means()
	}
	return statementError{fmt.Errorf("%s %s: %w", s.doing, s.object, err)}
}

// sqliteSession is a transaction of SQLite. known is nil where statements are not prepared.
type sqliteSession struct {
	tx    *sql.Tx
	known *prepared
}

func (s sqliteSession) query(ctx context.Context, before []statement, query string, args []any, fn func(scan func(...any) error) error) error {
	if err := s.execute(ctx, before); err != nil {
		return err
	}
	var rows *sql.Rows
	var err error
	if stmt := s.known.find(query); stmt != nil {
		rows, err = s.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // the transaction's end closes it
	} else {
		rows, err = s.tx.QueryContext(ctx, query, args...)
	}
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

func (s sqliteSession) execute(ctx context.Context, all []statement) (err error) {
	for _, st := range all {
		if stmt := s.known.find(st.query); stmt != nil {
			_, err = s.tx.StmtContext(ctx, stmt).ExecContext(ctx, st.args...) //nolint:sqlclosecheck // the transaction's end closes it
		} else {
			_, err = s.tx.ExecContext(ctx, st.query, st.args...)
		}
		if err != nil {
			return st.failed(&sqliteDialect, err)
		}
	}
	return nil
}

func (s sqliteSession) commit(ctx context.Context, last []statement) error {
	if err := s.execute(ctx, last); err != nil {
		return err
	}
	return s.tx.Commit()
}

func (s sqliteSession) close() { _ = s.tx.Rollback() } // after the commit it does nothing

// maxPrepared is more than the store has texts of statements: what would come after is parsed each time.
const maxPrepared = 256

// prepared are the statements of the one connection that writes: to parse them each time took a fifth of a transaction.
// A text is noted when it is met first, and prepared when the connection is free.
type prepared struct {
	mu      sync.Mutex
	byQuery map[string]*sql.Stmt
	unknown []string
}

// find returns nil for a statement that is not prepared yet.
func (p *prepared) find(query string) *sql.Stmt {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt, ok := p.byQuery[query]
	if !ok && len(p.byQuery) < maxPrepared {
		p.byQuery[query] = nil
		p.unknown = append(p.unknown, query)
	}
	return stmt
}

// learn prepares what was met. What cannot be prepared now is executed as it is.
func (p *prepared) learn(ctx context.Context, db *sql.DB) {
	p.mu.Lock()
	queries := p.unknown
	p.unknown = nil
	p.mu.Unlock()
	for _, query := range queries {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // closed with db
		p.mu.Lock()
		if err == nil {
			p.byQuery[query] = stmt
		} else {
			delete(p.byQuery, query)
		}
		p.mu.Unlock()
	}
}
