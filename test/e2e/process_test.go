//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"

	"github.com/opencopilot/handoff-operator/internal/desired"
)

// containerCgroup is the cgroup of a container of any runtime: it ends in the container's 64-digit id.
var containerCgroup = regexp.MustCompile(`[/-]([0-9a-f]{64})(\.scope)?\n`)

// processOf returns the process id of a Copilot's runtime container on this machine, and the container's id. It reads
// /proc alone: the process is in a container's cgroup, and its arguments name the namespace and the RoutingTable, which
// together are unique.
func processOf(namespace, copilot string) (pid int, container string, err error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, "", err
	}
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has ended meanwhile
		}
		args := bytes.Split(line, []byte{0})
		has := func(arg string) bool {
			return slices.ContainsFunc(args, func(a []byte) bool { return string(a) == arg })
		}
		if !has("--namespace="+namespace) || !has("--routing-table="+desired.Name(copilot)) {
			continue
		}
		cgroup, err := os.ReadFile(filepath.Join(dir, "cgroup"))
		id := containerCgroup.FindSubmatch(cgroup)
		if err != nil || id == nil {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		return pid, string(id[1]), err
	}
	return 0, "", fmt.Errorf("no container on this machine runs the runtime of Copilot %s/%s", namespace, copilot)
}

// killProcess sends SIGKILL to the runtime container's process, when there is one, waits until it is gone, and returns the
// container's id.
func killProcess(ctx context.Context, namespace, copilot string) (container string, err error) {
	var pid int
	err = eventually(ctx, func(context.Context) (err error) {
		pid, container, err = processOf(namespace, copilot)
		return err
	})
	if err != nil {
		return "", err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return "", fmt.Errorf("killing process %d of container %s: %w", pid, container, err)
	}
	return container, eventually(ctx, func(context.Context) error {
		if now, _, err := processOf(namespace, copilot); err == nil && now == pid {
			return errors.New("the process is still there")
		}
		return nil
	})
}
