package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// options say what one image is made of.
type options struct {
	binary  string // path of a static Linux executable
	name    string // repository, e.g. localhost/handoff-operator
	out     string // folder for the archive and its .ref file
	version string // value of the label org.opencontainers.image.version
	user    string // numeric uid:gid; kubelet cannot check runAsNonRoot on a name
}

// build writes the archive and the .ref file and returns the image's full name.
// Equal inputs give equal bytes.
func build(o options) (string, error) {
	if o.binary == "" || o.name == "" || o.out == "" {
		return "", fmt.Errorf("-binary, -name and -out are all needed")
	}
	img, err := assemble(o)
	if err != nil {
		return "", fmt.Errorf("assembling the image of %s: %w", o.binary, err)
	}
	id, err := img.ConfigName()
	if err != nil {
		return "", fmt.Errorf("hashing the image of %s: %w", o.binary, err)
	}
	tag, err := name.NewTag(o.name + ":" + id.Hex[:12])
	if err != nil {
		return "", fmt.Errorf("-name %q: %w", o.name, err)
	}
	base := filepath.Join(o.out, filepath.Base(o.binary))
	if err := tarball.WriteToFile(base+".tar", tag, img); err != nil {
		return "", fmt.Errorf("writing %s.tar: %w", base, err)
	}
	return tag.String(), os.WriteFile(base+".ref", []byte(tag.String()+"\n"), 0o644)
}

// machine returns the architecture, in GOARCH's spelling, of a static executable.
// It refuses one that could not start in an image that holds nothing else.
func machine(path string) (string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading %s as a Linux executable: %w", path, err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is linked dynamically: build it with CGO_ENABLED=0", path)
		}
	}
	switch file.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	default:
		return "", fmt.Errorf("%s is for %s: images are made for amd64 and arm64", path, file.Machine)
	}
}

func assemble(o options) (v1.Image, error) {
	arch, err := machine(o.binary)
	if err != nil {
		return nil, err
	}
	layer, err := binaryLayer(o.binary)
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS = arch, "linux"
	file.Config = v1.Config{
		Entrypoint: []string{"/" + filepath.Base(o.binary)},
		User:       o.user,
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":   filepath.Base(o.name),
			"org.opencontainers.image.version": o.version,
		},
	}
	return mutate.ConfigFile(img, file)
}

// binaryLayer holds the executable in the root folder, owned by root and
// writable by nobody, with no time of its own.
func binaryLayer(path string) (v1.Layer, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.Base(path), Mode: 0o555, Size: int64(len(content))}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.BestSpeed))
}

// push uploads an archive made by build, with the credentials docker or podman
// keep for the registry, if any.
func push(archive, reference string) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return fmt.Errorf("reference %q: %w", reference, err)
	}
	img, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return fmt.Errorf("reading %s: %w", archive, err)
	}
	if err := remote.Write(ref, img, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("pushing %s to %s: %w", archive, ref, err)
	}
	fmt.Println(ref)
	return nil
}
