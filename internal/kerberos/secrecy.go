package kerberos

import (
	"fmt"
	"io"
)

// What holds a secret has a Format, so that no verb of fmt looks into it (R04). fmt does not ask a field that is not
// exported: there a secret stands behind a pointer, which fmt does not follow.

func mask(f fmt.State, text string) { _, _ = io.WriteString(f, text) }

// Format prints nothing of what it holds.
func (Config) Format(f fmt.State, _ rune) { mask(f, "kerberos.Config{}") }

// Format prints the principal.
func (c *Client) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		mask(f, c.GoString())
		return
	}
	mask(f, c.String())
}

// Format prints the service's name.
func (i Initiator) Format(f fmt.State, _ rune) { mask(f, "kerberos.Initiator{"+i.service+"}") }

// Format prints the encryption type.
func (s SecurityContext) Format(f fmt.State, _ rune) {
	mask(f, "kerberos.SecurityContext{"+s.Encryption()+"}")
}

func (ticket) Format(f fmt.State, _ rune)      { mask(f, "ticket{}") }
func (secret) Format(f fmt.State, _ rune)      { mask(f, "secret{}") }
func (keytabEntry) Format(f fmt.State, _ rune) { mask(f, "keytabEntry{}") }
