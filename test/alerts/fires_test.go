package alerts

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// scrape is the time between two samples.
const scrape = 30 * time.Second

// TestReconcileErrorsFires: one object that fails for ever is told of, however long the operator waits between two
// attempts, and one that failed often and recovered is not.
func TestReconcileErrorsFires(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		longest, until time.Duration
		want           bool
	}{
		"a Copilot for ever":          {5 * time.Minute, 6 * time.Hour, true},
		"another object for ever":     {1000 * time.Second, 6 * time.Hour, true},
		"a quarter of an hour":        {5 * time.Minute, 15 * time.Minute, false},
		"nothing after the first try": {time.Second, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if have := fires(t, "HandoffReconcileErrors", failures(tc.longest, tc.until)); have != tc.want {
				t.Errorf("it fires: %t, want %t", have, tc.want)
			}
		})
	}
}

// failures is how often an object was tried in vain, at each scrape of six hours. The pauses between attempts double up to
// the longest, and after until there are no more.
func failures(longest, until time.Duration) (out []float64) {
	next, pause, count := time.Hour, 5*time.Millisecond, 0.0
	for now := time.Duration(0); now <= 6*time.Hour; now += scrape {
		for ; next <= min(now, time.Hour+until); next += pause {
			count++
			pause = min(2*pause, longest)
		}
		out = append(out, count)
	}
	return out
}

// fires says whether Prometheus, looking at each scrape of the errors' counter, would at any time fire the alert.
func fires(t *testing.T, alert string, values []float64) bool {
	t.Helper()
	var it rule
	for _, r := range rules(t) {
		if r.Alert == alert {
			it = r
		}
	}
	hold, err := time.ParseDuration(it.For)
	if err != nil {
		t.Fatalf("%s waits for %q: %v", alert, it.For, err)
	}
	counter := promql.Series{Metric: labels.FromStrings("__name__", "controller_runtime_reconcile_errors_total",
		"job", "handoff-operator", "controller", "copilot")}
	for i, v := range values {
		counter.Floats = append(counter.Floats, promql.FPoint{T: (time.Duration(i) * scrape).Milliseconds(), F: v})
	}
	series := &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: func(bool, *storage.SelectHints, ...*labels.Matcher) storage.SeriesSet {
		return &one{SeriesSet: storage.TestSeriesSet(promql.NewStorageSeries(counter))}
	}}}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	t.Cleanup(func() { _ = engine.Close() })
	query, err := engine.NewRangeQuery(t.Context(), series, nil, it.Expr, time.Unix(0, 0), time.Unix(0, 0).Add(time.Duration(len(values)-1)*scrape), scrape)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	matrix, err := query.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatal(err)
	}
	return held(matrix, hold)
}

// held says whether a series was there without a gap for so long.
func held(matrix promql.Matrix, hold time.Duration) bool {
	for _, s := range matrix {
		var since, last int64
		for i, p := range s.Floats {
			if i == 0 || p.T-last > scrape.Milliseconds() {
				since = p.T
			}
			if last = p.T; last-since >= hold.Milliseconds() {
				return true
			}
		}
	}
	return false
}

// one is a set whose series comes once; the mock's comes for ever.
type one struct {
	storage.SeriesSet
	given bool
}

func (o *one) Next() bool {
	first := !o.given
	o.given = true
	return first
}
