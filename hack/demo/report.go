package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// report prints what became of the customers, and returns how many requests failed.
func report(out io.Writer, outcomes []outcome, took time.Duration) int {
	var handedOff, failed, assigned, queued int
	reasons, issues, to := map[string]int{}, map[string]int{}, map[string]int{}
	var waits, offers []time.Duration
	for _, o := range outcomes {
		switch {
		case o.failed != nil:
			if failed < 5 {
				_, _ = fmt.Fprintln(out, "  failed:", o.failed)
			}
			failed++
		case o.handedOff:
			handedOff++
			reasons[o.reason]++
			issues[orNone(o.issueType)]++
			waits = append(waits, o.toHandoff)
			if o.to == "" {
				queued++
				to["(queue)"]++
			} else {
				assigned++
				to[o.to]++
				offers = append(offers, o.toAgent)
			}
		}
	}
	_, _ = fmt.Fprintf(out, "\n  customers        %d in %s (%.0f a second)\n", len(outcomes), took.Round(time.Millisecond), float64(len(outcomes))/took.Seconds())
	_, _ = fmt.Fprintf(out, "  answered by AI   %d\n", len(outcomes)-handedOff-failed)
	_, _ = fmt.Fprintf(out, "  handed off       %d: %d offered to an agent, %d waiting in the queue at the end\n", handedOff, assigned, queued)
	table(out, "why", reasons)
	table(out, "about what", issues)
	table(out, "to whom", to)
	times(out, "message → handoff seen by the customer", waits)
	times(out, "handoff → offered to an agent", offers)
	_, _ = fmt.Fprintf(out, "  failed           %d\n", failed)
	return failed
}

// times prints quantiles of durations, if there are any.
func times(out io.Writer, what string, all []time.Duration) {
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(100 * time.Microsecond) }
	_, _ = fmt.Fprintf(out, "  %s: p50 %s, p99 %s, worst %s\n", what, at(0.5), at(0.99), at(1))
}

func table(out io.Writer, title string, counts map[string]int) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return counts[b] - counts[a] })
	for i, k := range keys {
		if i > 0 {
			title = ""
		}
		_, _ = fmt.Fprintf(out, "    %-14s %6d  %s\n", title, counts[k], k)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(no type of issue)"
	}
	return s
}
