package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"--runtime-image=r:1", "--leader-elect", "--namespace=a, b", "--namespace=c", "--metrics-bind-address=0"})
	if err != nil {
		t.Fatal(err)
	}
	if o.runtimeImage != "r:1" || !o.leaderElect || o.metricsAddress != "0" || o.healthAddress != ":8081" || !slices.Equal(o.namespaces, []string{"a", "b", "c"}) {
		t.Errorf("have %+v", o)
	}
}

func TestRuntimeImageIsRequired(t *testing.T) {
	t.Parallel()
	_, err := parse(nil)
	if err == nil || !strings.Contains(err.Error(), "--runtime-image") {
		t.Errorf("want an error that names the flag, have %v", err)
	}
}
