package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// settles is how long the runtime is left alone before its memory is read: what a start needs has been given back.
const settles = 10 * time.Second

// BenchmarkIdle measures the resident memory of a runtime process on embedded storage that serves nobody, as Linux
// counts it, and how much of it is its own: the rest are pages of the binary that were touched, which the kernel can drop.
// It is built as for the image.
func BenchmarkIdle(b *testing.B) {
	path := filepath.Join(b.TempDir(), "runtime")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	shipped := func(t testing.TB, args ...string) *exec.Cmd { return exec.CommandContext(t.Context(), path, args...) }
	var all, own float64
	for b.Loop() {
		_, pid, kill := serving(b, shipped, b.TempDir())
		<-time.After(settles) // nothing tells when
		all += resident(b, pid, "VmRSS:")
		own += resident(b, pid, "RssAnon:")
		kill()
	}
	b.ReportMetric(all/float64(b.N), "MiB")
	b.ReportMetric(own/float64(b.N), "MiB-own")
}

// resident returns a field of a process's memory in MiB.
func resident(b *testing.B, pid int, field string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), field)
	if _, err := fmt.Sscan(after, &kib); err != nil {
		b.Fatalf("%s: %v", status, err)
	}
	return kib / 1024
}
