// Package golden compares what a test made with a file that keeps what it should be.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Compare fails t where have is not what the file holds, and says how it differs. With the flag -update it writes the file
// instead.
func Compare(t *testing.T, file string, have []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, have, 0o644); err != nil { //nolint:gosec // a file of the repository, as git makes it
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; if it is new, run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s (-want +got); if the new one is right, run the test with -update\n%s", file, diff)
	}
}
