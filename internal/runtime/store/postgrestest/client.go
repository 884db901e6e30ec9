package postgrestest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Exec runs a statement beside the store.
func (s *Server) Exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		tb.Fatal(err)
	}
}

// Try runs a statement in a schema.
func (s *Server) Try(schema, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN()+"&search_path="+schema)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// Count returns the number that a query asks for.
func (s *Server) Count(tb testing.TB, sql string, args ...any) (n int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// Occupy takes connections until the server has none left, says so, and holds them until ctx ends.
func (s *Server) Occupy(ctx context.Context, taken, ended chan<- struct{}) {
	defer close(ended)
	var held []*pgx.Conn
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	close(taken)
	<-ctx.Done()
	for _, conn := range held {
		_ = conn.Close(context.WithoutCancel(ctx))
	}
}
