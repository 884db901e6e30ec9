// Command image makes container images FROM nothing out of static binaries, and
// pushes them to a registry. It needs no container engine.
//
//	image build -binary FILE -name REPOSITORY -out DIR [-version V] [-user UID:GID]
//	image push ARCHIVE REFERENCE
//
// build writes DIR/<base of FILE>.tar, which ctr, kind, k3d, minikube, docker
// and podman can load, and DIR/<base of FILE>.ref with the image's full name.
// The tag is taken from the content: another binary, another tag.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given: use build or push")
	}
	switch args[0] {
	case "build":
		var o options
		flags := flag.NewFlagSet("image build", flag.ContinueOnError)
		flags.StringVar(&o.binary, "binary", "", "the static `file` the image runs")
		flags.StringVar(&o.name, "name", "", "the image's `repository`, without a tag")
		flags.StringVar(&o.out, "out", "", "the `folder` to write to")
		flags.StringVar(&o.version, "version", "dev", "the version `label`")
		flags.StringVar(&o.user, "user", "65532:65532", "numeric `uid:gid` to run as")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		ref, err := build(o)
		if err == nil {
			fmt.Println(ref)
		}
		return err
	case "push":
		if len(args) != 3 {
			return fmt.Errorf("push takes an archive and a reference, got %d arguments", len(args)-1)
		}
		return push(args[1], args[2])
	default:
		return fmt.Errorf("unknown command %q: use build or push", args[0])
	}
}
