// Command pause is the container that holds a pod's namespaces: as process 1 it
// waits for a signal to end and takes in orphaned children.
//
// Called as "pause dial ADDRESS" it opens one TCP connection instead and exits
// 0, or 1 with the error: cluster-up runs that in a pod, to know that pods
// reach the API server.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "dial" {
		if err := dial(os.ExpandEnv(os.Args[2])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	hold()
}

// dial reports whether a TCP connection to address can be made within 5 s.
func dial(address string) error {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return fmt.Errorf("reaching %q: %w", address, err)
	}
	return conn.Close()
}

// hold returns at SIGINT or SIGTERM and reaps every child until then.
func hold() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
