package store

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const queryHandled = `SELECT took FROM handled WHERE pool = $1 AND channel_type = $2 ORDER BY ended DESC LIMIT $3`

// handledAge is how old a handling time is that says nothing of today.
const handledAge = 30 * 24 * time.Hour

// handled keeps how long a conversation of a pool took an agent's capacity.
func (w tx) handled(h *conversation.Handled) error {
	if h == nil || h.Pool == "" {
		return nil
	}
	err := w.exec(`DELETE FROM handled WHERE pool = $1 AND channel_type = $2 AND ended < $3`,
		h.Pool, string(h.Over), h.Ended.Add(-handledAge).UnixNano())
	if err == nil {
		err = w.exec(`INSERT INTO handled (pool, channel_type, ended, took) VALUES ($1, $2, $3, $4)`,
			h.Pool, string(h.Over), h.Ended.UnixNano(), h.Took.Nanoseconds())
	}
	if err != nil {
		return fmt.Errorf("handling time of pool %s: %w", h.Pool, err)
	}
	return nil
}

func (r reader) HandlingTime(pool string, ct v1alpha1.ChannelType, newest int) (mean time.Duration, samples int, err error) {
	var sum, n sql.NullInt64
	err = r.each(func(scan func(...any) error) error { return scan(&sum, &n) },
		`SELECT CAST(sum(took) AS BIGINT), count(*) FROM (`+queryHandled+`) AS newest`, pool, string(ct), max(newest, 0))
	if err != nil {
		return 0, 0, fmt.Errorf("read the handling time of pool %s: %w", pool, err)
	}
	if n.Int64 == 0 {
		return 0, 0, nil
	}
	return time.Duration(sum.Int64 / n.Int64), int(n.Int64), nil
}
