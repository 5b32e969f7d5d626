package coordinator

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
)

// holderName is this coordinator's name in the cluster's lease: for people where it runs, and unlike that of every other
// one, one of the same number after a restart of this host too.
func holderName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "a host without a name"
	}
	unlike := make([]byte, 6)
	_, _ = rand.Read(unlike) // never fails (crypto/rand)
	return fmt.Sprintf("%.100s, process %d, %s", oneLine(host), os.Getpid(), hex.EncodeToString(unlike))
}
