package winnode

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// The ports of WinRM's listeners (MS-WSMV 2.1).
const (
	portHTTP  = 5985
	portHTTPS = 5986
)

// Address is where a node's WinRM listener is.
type Address struct {
	Host string
	Port int
	// TLS: the listener speaks HTTPS, and its certificate is verified. Otherwise every message is sealed.
	TLS bool
}

// ParseAddress reads host, host:port, http://host[:port] or https://host[:port]; IPv6 addresses stand in
// brackets. Without a port it is WinRM's own: 5985, or 5986 with TLS.
func ParseAddress(s string) (Address, error) {
	bad := func(why string) (Address, error) {
		return Address{}, fmt.Errorf("address %q: %s; it takes host, host:port or https://host:port", s, why)
	}
	var a Address
	rest := s
	if i := strings.Index(s, "://"); i >= 0 {
		switch strings.ToLower(s[:i]) {
		case "http":
		case "https":
			a.TLS = true
		default:
			return bad("the scheme is not http or https")
		}
		rest = s[i+3:]
	}
	u, err := url.Parse("//" + rest)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") || u.Hostname() == "" {
		return bad("it is not a host")
	}
	a.Host = u.Hostname()
	if !plainHost(a.Host) || strings.Contains(a.Host, ":") != strings.HasPrefix(u.Host, "[") {
		return bad("it is not a host")
	}
	a.Port = portHTTP
	if a.TLS {
		a.Port = portHTTPS
	}
	if p := u.Port(); p != "" {
		a.Port, err = strconv.Atoi(p)
		if err != nil || a.Port < 1 || a.Port > 65535 {
			return bad("the port is not 1 to 65535")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return bad("the port is missing")
	}
	return a, nil
}

// plainHost admits DNS names, NetBIOS names and IP addresses: nothing that could break a header or XML.
func plainHost(s string) bool {
	return len(s) <= 255 && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:", r)
	}) < 0
}

// HostPort is what is dialled.
func (a Address) HostPort() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// String is the address as ParseAddress reads it, with its scheme.
func (a Address) String() string {
	if a.TLS {
		return "https://" + a.HostPort()
	}
	return "http://" + a.HostPort()
}
