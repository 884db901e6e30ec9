package table_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

func TestChangesDuringAnOutageArriveAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	key := w.createKey("before")
	w.createFAQ("text")
	w.write(spec(t, full("before")))
	gate, config := newGate(t, w.config)
	s := w.start(w.options(config))
	s.next()
	w.acknowledged(routing.Revision(full("before")))

	gate.shut()
	w.write(spec(t, full("during")))
	key.Data["key"] = []byte("during")
	w.update(key)
	gate.open()
	in := s.next()
	for in.Table.Copilot.DisplayName != "during" || string(in.Secrets[keyName]["key"]) != "during" {
		in = s.next()
	}
	w.acknowledged(routing.Revision(full("during")))
}

func TestARestartedRuntimeServesTheLastGoodInputsWithoutTheAPIServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.createKey("secret")
	w.createFAQ("text")
	w.write(spec(t, full("before")))
	gate, config := newGate(t, w.config)
	opts := w.options(config)
	s := w.start(opts)
	s.next()
	w.acknowledged(routing.Revision(full("before")))

	gate.shut()
	s.stop()
	again := w.start(opts)
	in := again.next()
	if in.Revision != routing.Revision(full("before")) || string(in.Secrets[keyName]["key"]) != "secret" || in.ConfigMaps[faqName]["faq.md"] != "text" {
		t.Fatalf("inputs of the restart: %+v", in)
	}
	w.write(spec(t, full("after")))
	gate.open()
	if in = again.next(); in.Table.Copilot.DisplayName != "after" {
		t.Fatalf("after the outage: %+v", in)
	}
	w.acknowledged(routing.Revision(full("after")))
	if again.metric("handoff_table_reconnects_total") == 0 {
		t.Error("handoff_table_reconnects_total is 0 after an outage")
	}
}

func TestARestartedRuntimeDoesNotFallForATableItRefusedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("good")))
	opts := w.options(w.config)
	s := w.start(opts)
	s.next()
	w.acknowledged(routing.Revision(plain("good")))
	bad := spec(t, plain("bad"))
	bad.FormatVersion++
	w.write(bad)
	s.stop()
	if in := w.start(opts).next(); in.Table.Copilot.DisplayName != "good" {
		t.Fatalf("inputs of the restart: %+v", in)
	}
}

func TestARestartWithAnUnchangedTableWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	gate, config := newGate(t, w.config)
	opts := w.options(config)
	s := w.start(opts)
	s.next()
	w.acknowledged(routing.Revision(plain("one")))
	// Behind a shut gate the entry stays, as after kill -9.
	gate.shut()
	s.stop()

	gate.open()
	wire, recorded := record(config)
	opts.Config = recorded
	again := w.start(opts)
	again.next()
	w.write(spec(t, plain("two")))
	again.next()
	w.acknowledged(routing.Revision(plain("two")))
	if n := wire.count("patch routingtables/status"); n != 1 {
		t.Errorf("%d writes for one new revision, want 1: the old one had been acknowledged before the restart", n)
	}
}

func TestBrokenSavedInputsAreReportedAndIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, env.Config)
	w.write(spec(t, plain("one")))
	opts := w.options(w.config)
	s := w.start(opts)
	s.next()
	s.stop()
	path := filepath.Join(opts.RunDir, "inputs.json")
	content, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, bytes.Replace(content, []byte("one"), []byte("two"), 1), 0o600))

	log := &lockedBuffer{}
	opts.Log = slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil))
	if in := w.start(opts).next(); in.Table.Copilot.DisplayName != "one" {
		t.Fatalf("inputs: %+v", in)
	}
	if !strings.Contains(log.String(), "ignoring the saved inputs") || !strings.Contains(log.String(), "checksum") {
		t.Errorf("the log does not say that the saved inputs are broken:\n%s", log)
	}
}

func TestARestartOfTheAPIServerItself(t *testing.T) {
	t.Parallel()
	own := newEnvironment()
	// A directory of ours: certificates and the key of ServiceAccount tokens outlive the process.
	own.ControlPlane.GetAPIServer().CertDir = t.TempDir()
	// Stopping waits this long for open watches to end by themselves.
	own.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "10s")
	config, err := own.Start()
	must(t, err)
	t.Cleanup(func() { must(t, own.Stop()) })
	w := newWorld(t, config)
	w.write(spec(t, plain("before")))
	s := w.start(w.options(w.config))
	s.next()
	w.acknowledged(routing.Revision(plain("before")))

	must(t, own.ControlPlane.APIServer.Stop())
	must(t, own.ControlPlane.APIServer.Start())
	w.write(spec(t, plain("after")))
	if in := s.next(); in.Table.Copilot.DisplayName != "after" {
		t.Fatalf("after the restart: %+v", in)
	}
	w.acknowledged(routing.Revision(plain("after")))
}

// lockedBuffer may be written and read at once.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
