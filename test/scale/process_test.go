package scale_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// operator is the operator's binary as a process of its own.
type operator struct {
	cmd     *exec.Cmd
	metrics string
	started time.Time
}

// build makes the operator's binary as the image's build does.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "operator")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/opencopilot/handoff-operator/cmd/operator")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("build the operator: %v\n%s", err, out)
	}
	return path
}

// startOperator runs the binary with the flags that every installation has, and its log in a file.
func startOperator(b *testing.B, binary string, c *cluster, flags ...string) *operator {
	b.Helper()
	o := &operator{metrics: freeAddress(b), started: time.Now()}
	o.cmd = exec.Command(binary, append([]string{
		"--runtime-image=" + runtimeImage, "--metrics-bind-address=" + o.metrics, "--health-probe-bind-address=" + freeAddress(b),
	}, flags...)...)
	o.cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	log, err := os.OpenFile(filepath.Join(c.dir, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(b, err)
	o.cmd.Stderr = log
	must(b, o.cmd.Start())
	b.Cleanup(func() {
		o.kill()
		_ = log.Close()
	})
	return o
}

// kill ends the process as a node that dies does.
func (o *operator) kill() {
	if o.cmd.ProcessState == nil {
		_ = o.cmd.Process.Kill()
		_ = o.cmd.Wait()
	}
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(b, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// metric sums the samples of a metric whose labels contain every one of labels, such as `controller="copilot"`. It is 0
// while the process does not answer.
func (o *operator) metric(name string, labels ...string) float64 {
	resp, err := http.Get("http://" + o.metrics + "/metrics")
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	sum := 0.0
	for s := bufio.NewScanner(bytes.NewReader(body)); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), " ")
		if found, rest, _ := strings.Cut(key, "{"); found != name || !containsAll(rest, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err == nil {
			sum += v
		}
	}
	return sum
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// memory is the process's resident memory now and at its largest, in bytes.
func (o *operator) memory(b *testing.B) (now, peak float64) {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.cmd.Process.Pid))
	must(b, err)
	field := func(name string) float64 {
		_, rest, _ := strings.Cut(string(raw), name+":")
		kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		must(b, err)
		return kib * 1024
	}
	return field("VmRSS"), field("VmHWM")
}

// cpu is the processor time that a process has used; 0 if there is none.
func cpu(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The command's name, in parentheses, may hold spaces.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

// cpuOf is the processor time of the processes with that name that this process started.
func cpuOf(name string) time.Duration {
	var sum time.Duration
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(raw, []byte("("+name+")")) {
			continue
		}
		if parent := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))[1]; parent != strconv.Itoa(os.Getpid()) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			sum += cpu(pid)
		}
	}
	return sum
}
