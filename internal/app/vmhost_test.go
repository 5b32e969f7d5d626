package app

import (
	"testing"

	"cau/internal/check"
)

// record is one pair as hv_kvp_daemon writes it.
func record(key, value string) []byte {
	out := make([]byte, kvpKeySize+kvpValueSize)
	copy(out, key)
	copy(out[kvpKeySize:], value)
	return out
}

func TestR11_TheNodeThatCarriesThisHostIsFoundInWhatHyperVTells(t *testing.T) {
	pool := append(record("HostName", "NODE2"), record("PhysicalHostNameFullyQualified", "node2.contoso.test")...)
	pool = append(pool, record("VirtualMachineId", "461B2364-3901-4349-B3C2-FA4821CBEEFE")...)
	if got := pooled(pool, kvpHostFull); got != "node2.contoso.test" {
		t.Errorf("%q", got)
	}
	full := record(kvpHost, "")
	for i := range full[kvpKeySize:] {
		full[kvpKeySize+i] = 'x'
	}
	for name, bytes := range map[string][]byte{"nothing": nil, "cut short": pool[:len(pool)-1][:kvpKeySize+kvpValueSize+10], "another": record("HostName", "NODE2")} {
		if got := pooled(bytes, kvpHostFull); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := pooled(full, kvpHost); len(got) != kvpValueSize {
		t.Errorf("a value without an end has %d bytes", len(got))
	}
	nodes := []string{"NODE1", "NODE2"}
	for physical, want := range map[string]string{
		"node2.contoso.test": "NODE2", "NODE2": "NODE2", "node2.fabrikam.test": "", "node3.contoso.test": "", "": "",
	} {
		if got := carrier(nodes, physical, "contoso.test"); got != want {
			t.Errorf("%q: %q", physical, got)
		}
	}
}

func TestR11_AHostThatIsAVirtualMachineOnTheClusterIsWarnedAndItsNodeGoesLast(t *testing.T) {
	got := hostCheck([]string{"NODE1", "NODE2"}, map[string]string{}, "NODE2")
	if got.Outcome != check.Warn || got.Remedy == "" || got.Evidence == "" {
		t.Errorf("%+v", got)
	}
}
