package app

import (
	"bytes"
	"strings"
)

// Where this host is a virtual machine under Hyper-V, the host tells it its own name (Data Exchange: key-value pairs). A
// live migration changes it.

// What Hyper-V's daemon keeps of one pair in a pool file: a key and a value of these sizes, ended by NUL (Linux:
// include/uapi/linux/hyperv.h, HV_KVP_EXCHANGE_MAX_KEY_SIZE and _VALUE_SIZE).
const (
	kvpKeySize   = 512
	kvpValueSize = 2048
)

// The keys that name the computer which carries this virtual machine.
const (
	kvpHostFull = "PhysicalHostNameFullyQualified"
	kvpHost     = "PhysicalHostName"
)

// pooled is the value of a key in a pool file, empty where it has none. A record that is cut short is none.
func pooled(pool []byte, key string) string {
	for len(pool) >= kvpKeySize+kvpValueSize {
		k, _, _ := bytes.Cut(pool[:kvpKeySize], []byte{0})
		v, _, _ := bytes.Cut(pool[kvpKeySize:kvpKeySize+kvpValueSize], []byte{0})
		if string(k) == key {
			return string(v)
		}
		pool = pool[kvpKeySize+kvpValueSize:]
	}
	return ""
}

// carrier is the node that carries this host, empty where none does: the physical host's first name is the node's, and
// where both have a domain it is the same.
func carrier(nodes []string, physical, domain string) string {
	short, its, qualified := strings.Cut(physical, ".")
	if short == "" || qualified && domain != "" && !strings.EqualFold(its, domain) {
		return ""
	}
	for _, n := range nodes {
		if name, _, _ := strings.Cut(n, "."); strings.EqualFold(name, short) {
			return n
		}
	}
	return ""
}

// carriedBy is the node of this cluster that carries this very host. Nobody's host is on a simulated cluster.
func (s *session) carriedBy(nodes []string) string {
	if s.lab != nil {
		return ""
	}
	return carrier(nodes, physicalHost(), s.contact.Node.Domain)
}
