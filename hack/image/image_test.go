package main

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// pauseBinary compiles the pause program statically.
func pauseBinary(t *testing.T, ldflags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pause")
	cmd := exec.Command("go", "build", "-ldflags", ldflags, "-o", path, "./pause")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build ./pause: %v\n%s", err, out)
	}
	return path
}

func buildImage(t *testing.T, binary string) (ref, archive string) {
	t.Helper()
	out := t.TempDir()
	ref, err := build(options{binary: binary, name: "localhost/handoff-pause", out: out, version: "v1", user: "65532:65532"})
	if err != nil {
		t.Fatal(err)
	}
	return ref, filepath.Join(out, "pause.tar")
}

func TestImageHoldsTheBinaryAndNothingElse(t *testing.T) {
	t.Parallel()
	binary := pauseBinary(t, "")
	_, archive := buildImage(t, binary)

	img, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || strings.Join(config.Config.Entrypoint, " ") != "/pause" {
		t.Errorf("runs %v as %q, want /pause as 65532:65532", config.Config.Entrypoint, config.Config.User)
	}

	files := mutate.Extract(img)
	defer files.Close()
	reader := tar.NewReader(files)
	if _, err := reader.Next(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the image's file has %d bytes that differ from the binary's %d", len(got), len(want))
	}
	if _, err := reader.Next(); err != io.EOF {
		t.Errorf("a second file is in the image (err %v)", err)
	}
}

func TestTagFollowsContent(t *testing.T) {
	t.Parallel()
	full, stripped := pauseBinary(t, ""), pauseBinary(t, "-s -w")
	first, archive := buildImage(t, full)
	again, archiveAgain := buildImage(t, full)
	other, _ := buildImage(t, stripped)

	if first != again {
		t.Errorf("one binary gave two names: %s and %s", first, again)
	}
	if first == other {
		t.Errorf("two binaries gave one name: %s", first)
	}
	a, errA := os.ReadFile(archive)
	b, errB := os.ReadFile(archiveAgain)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("one binary gave two archives (%v, %v)", errA, errB)
	}
}

func TestPushedImageIsTheOneBuilt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref, archive := buildImage(t, pauseBinary(t, ""))
	target := strings.Replace(ref, "localhost", strings.TrimPrefix(server.URL, "http://"), 1)
	if err := push(archive, target); err != nil {
		t.Fatal(err)
	}

	local, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := name.ParseReference(target)
	if err != nil {
		t.Fatal(err)
	}
	fetched, err := remote.Image(pushed)
	if err != nil {
		t.Fatal(err)
	}
	want, errWant := local.ConfigName()
	got, errGot := fetched.ConfigName()
	if errWant != nil || errGot != nil || got != want {
		t.Errorf("the registry has image %v (%v), built was %v (%v)", got, errGot, want, errWant)
	}
}

func TestWhatCannotStartIsRefused(t *testing.T) {
	t.Parallel()
	dynamic, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no dynamically linked bash here")
	}
	_, err = build(options{binary: dynamic, name: "localhost/x", out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("a dynamically linked binary: got %v, want an error that says CGO_ENABLED=0", err)
	}
	_, err = build(options{binary: "image.go", name: "localhost/x", out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "image.go") {
		t.Errorf("a text file: got %v, want an error that names it", err)
	}
}
