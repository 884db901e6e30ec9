package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// settles is how long the runtime is left alone before its memory is read: what a start needs has been given back.
const settles = 10 * time.Second

// BenchmarkIdle measures the resident memory of a runtime process on embedded storage that serves nobody, as Linux
// counts it. The process is the test's own binary, which is larger than the runtime's.
func BenchmarkIdle(b *testing.B) {
	var sum float64
	for b.Loop() {
		_, pid, kill := serving(b, b.TempDir())
		time.Sleep(settles)
		sum += resident(b, pid)
		kill()
	}
	b.ReportMetric(sum/float64(b.N), "MiB")
}

// resident returns a process's resident memory in MiB.
func resident(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	var kib float64
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		b.Fatalf("%s: %v", status, err)
	}
	return kib / 1024
}
