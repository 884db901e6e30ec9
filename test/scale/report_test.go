package scale_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// report is all figures of a run, for docs/scale.md.
type report struct {
	load    string
	started time.Time
	all     []*figures
}

func loadAverage() string {
	raw, _ := os.ReadFile("/proc/loadavg")
	return strings.TrimSpace(string(raw))
}

// publish writes the report to the file SCALE_REPORT, relative to the repository, or prints it.
func (r *report) publish() error {
	var s strings.Builder
	r.head(&s)
	r.creation(&s)
	r.plots(&s)
	r.writes(&s)
	r.restarts(&s)
	r.changes(&s)
	path := os.Getenv("SCALE_REPORT")
	if path == "" {
		_, err := fmt.Print("\n", s.String())
		return err
	}
	if !filepath.IsAbs(path) {
		path = controltest.Root(path)
	}
	return os.WriteFile(path, []byte(s.String()), 0o644)
}

func (r *report) head(s *strings.Builder) {
	var sizes []string
	for _, f := range r.all {
		sizes = append(sizes, fmt.Sprint(f.copilots))
	}
	fmt.Fprintf(s, "Measured on %s by `SCALE_SIZES=%s make bench PKG=./test/scale/...` with %s on %d processors of the kind %q; "+
		"load averages %s before and %s after.\n\n", r.started.UTC().Format(time.DateOnly), strings.Join(sizes, ","), runtime.Version(),
		runtime.NumCPU(), processor(), firstThree(r.load), firstThree(loadAverage()))
}

func firstThree(load string) string {
	fields := strings.Fields(load)
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(raw), "model name\t: ")
	name, _, _ := strings.Cut(rest, "\n")
	return name
}

func (r *report) creation(s *strings.Builder) {
	s.WriteString("### Created → all Ready\n\n" +
		"| Copilots | all Ready | floor | ratio | writes of the operator | of others | operator's CPU | API server's CPU | in the floor | memory at rest | aim | at its peak | goroutines |\n" +
		"| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, f := range r.all {
		fmt.Fprintf(s, "| %d | %s | %s | %.2f | %d | %d | %s | %s | %s | %s | %s | %s | %.0f |\n", f.copilots,
			seconds(f.created), seconds(f.floor), f.created.Seconds()/f.floor.Seconds(),
			total(f.operator), total(f.users)+total(f.standIn), seconds(f.cpu), seconds(f.apiCPU), seconds(f.floorAPICPU),
			mebibytes(f.memory), mebibytes(f.aim()), mebibytes(f.peak), f.goroutines)
	}
	s.WriteString("\n")
}

// aim is the memory that the operator is meant to take: 40 MiB, and 20 MiB for every 1,000 Copilots.
func (f *figures) aim() float64 { return (40 + 20*float64(f.copilots)/1000) * (1 << 20) }

func (r *report) plots(s *strings.Builder) {
	if len(r.all) < 2 {
		return
	}
	plot := func(title, unit string, series ...func(*figures) float64) {
		var sizes []string
		for _, f := range r.all {
			sizes = append(sizes, fmt.Sprint(f.copilots))
		}
		fmt.Fprintf(s, "```mermaid\nxychart-beta\n  title %q\n  x-axis \"Copilots\" [%s]\n  y-axis %q\n", title, strings.Join(sizes, ", "), unit)
		for _, value := range series {
			var values []string
			for _, f := range r.all {
				values = append(values, fmt.Sprintf("%.1f", value(f)))
			}
			fmt.Fprintf(s, "  line [%s]\n", strings.Join(values, ", "))
		}
		s.WriteString("```\n\n")
	}
	plot("Created to all Ready, and the floor", "seconds",
		func(f *figures) float64 { return f.created.Seconds() }, func(f *figures) float64 { return f.floor.Seconds() })
	plot("Writes of the operator", "requests", func(f *figures) float64 { return float64(total(f.operator)) })
	plot("Memory at rest, and the aim", "MiB",
		func(f *figures) float64 { return f.memory / (1 << 20) }, func(f *figures) float64 { return f.aim() / (1 << 20) })
}

// writes shows what a Copilot costs at the largest size.
func (r *report) writes(s *strings.Builder) {
	f := r.all[len(r.all)-1]
	fmt.Fprintf(s, "Writes for each of %d Copilots until all were Ready:\n\n| who | what | for each Copilot |\n| --- | --- | ---: |\n", f.copilots)
	for _, by := range []struct {
		who    string
		counts map[string]int
	}{{"users", f.users}, {"operator", f.operator}, {"stand-in", f.standIn}} {
		for _, what := range slices.Sorted(maps.Keys(by.counts)) {
			fmt.Fprintf(s, "| %s | %s | %.2f |\n", by.who, what, float64(by.counts[what])/float64(f.copilots))
		}
	}
	s.WriteString("\n")
}

func (r *report) restarts(s *strings.Builder) {
	s.WriteString("### Restart after SIGKILL\n\n" +
		"| Copilots | all looked at | floor: reading them | writes | a new tenant Ready meanwhile | at rest |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, f := range r.all {
		fmt.Fprintf(s, "| %d | %s | %s | %d | %s | %s |\n", f.copilots, seconds(f.restart.looked), seconds(f.restart.floor),
			f.restart.writes, milliseconds(f.restart.created), milliseconds(f.restart.rest))
	}
	s.WriteString("\n")
}

func (r *report) changes(s *strings.Builder) {
	for _, f := range r.all {
		if f.changes == 0 {
			continue
		}
		fmt.Fprintf(s, "### Change of an AgentPool → acknowledged by the runtime\n\nAt %d Copilots.\n\n"+
			"| | changes | p50 | p99 | aim of p99 | others made | floor: changes | p50 | p99 | others made |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
			f.copilots)
		for _, row := range []struct {
			name, aim   string
			have, floor series
		}{{"idle", "25 ms", f.idle, f.idleFloor}, {fmt.Sprintf("during %d other changes a second", otherChanges), "60 ms", f.busy, f.busyFloor}} {
			fmt.Fprintf(s, "| %s | %d | %s | %s | %s | %s | %d | %s | %s | %s |\n", row.name, len(row.have.latencies),
				milliseconds(row.have.percentile(50)), milliseconds(row.have.percentile(99)), row.aim, row.have.rate(), len(row.floor.latencies),
				milliseconds(row.floor.percentile(50)), milliseconds(row.floor.percentile(99)), row.floor.rate())
		}
		s.WriteString("\n")
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
func mebibytes(n float64) string { return fmt.Sprintf("%.0f MiB", n/(1<<20)) }
