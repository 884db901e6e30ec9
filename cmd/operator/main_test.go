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

func TestMistakesInFlags(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		flag string
		args []string
	}{
		{"--runtime-image", nil},
		{"--release", []string{"--runtime-image=r:1", "--release="}},
		{"--max-concurrent-upgrades", []string{"--runtime-image=r:1", "--max-concurrent-upgrades=-1"}},
	} {
		_, err := parse(tc.args)
		if err == nil || !strings.Contains(err.Error(), tc.flag+" is ") {
			t.Errorf("%v: want an error that names %s, have %v", tc.args, tc.flag, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"--runtime-image=r:1"})
	if err != nil || o.release != version || o.upgrades != 5 {
		t.Errorf("have %+v, %v", o, err)
	}
}
