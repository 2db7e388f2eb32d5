package intotopeer

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test's own program be the peer, in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == PeerArgument {
		if err := ServePeer(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
