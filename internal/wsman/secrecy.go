package wsman

import (
	"fmt"
	"io"
)

// hidden is a secret that no verb of fmt shows (R04), not even in a field that is not exported, whose methods fmt
// does not ask.
type hidden func() string

func hide(secret string) hidden { return func() string { return secret } }

// reveal gives the secret to whoever sends it or computes with it.
func (h hidden) reveal() string {
	if h == nil {
		return ""
	}
	return h()
}

// Format prints the mechanism; a Session may carry a password.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "wsman.Session{"+s.Mechanism+"}")
}

// Format prints nothing of the secret, whatever the verb.
func (c *Credential) Format(f fmt.State, verb rune) {
	text := c.String()
	if verb == 'v' && f.Flag('#') {
		text = c.GoString()
	}
	_, _ = io.WriteString(f, text)
}
