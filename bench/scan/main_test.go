package main

import (
	"testing"
)

// One connection, one shell and one logon a node: the quotas of WinRM (Windows Server 2012: 30 shells, older ones 5)
// are not come near to, however many nodes there are.
func TestSixtyFourNodesAreScannedAtOnceWithinTheirQuotas(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]int{"NTLM": 64, "Kerberos": 16} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := measure(t.Context(), nodes, name == "Kerberos")
			if err != nil {
				t.Fatal(err)
			}
			if len(m.warm) != nodes {
				t.Fatalf("%d nodes were heard of", len(m.warm))
			}
			for node, h := range m.warm {
				if h.MostConnections != 1 || h.MostShells != 1 || h.Logons != 1 || h.Refused != 0 || h.Readable != 0 {
					t.Errorf("%s: %d connections and %d shells at once, %d logons, %d refused, %d readable bodies",
						node, h.MostConnections, h.MostShells, h.Logons, h.Refused, h.Readable)
				}
			}
		})
	}
}
