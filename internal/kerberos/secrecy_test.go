package kerberos

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/types"
)

// secretForms are how a key would look in a text, in whatever verb it was printed.
func secretForms(key []byte) []string {
	return []string{
		string(key), fmt.Sprintf("%x", key), fmt.Sprintf("%X", key), strings.Trim(fmt.Sprintf("%d", key), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", key), "[]byte{"), "}"),
	}
}

func TestR04_NothingThatHoldsASecretPrintsIt(t *testing.T) {
	key := types.EncryptionKey{KeyType: 18, KeyValue: bytes.Repeat([]byte("K3y!"), 8)}
	const password = "Corr3ct-Horse"
	held := &ticket{key: key}
	auth := types.Authenticator{SubKey: key}
	keys := map[int32]keytabEntry{18: {key: key}}
	client := &Client{secret: &secret{password: password, keys: keys}, tgt: held, tickets: map[string]*ticket{"x": held}}
	for _, v := range []any{
		Config{Password: password},
		&Config{Password: password}, client, held, *held, keys[18], keys, client.secret, *client.secret,
		&Initiator{ticket: held, auth: auth, client: client},
		Initiator{ticket: held, auth: auth, client: client},
		&SecurityContext{key: key},
		SecurityContext{key: key},
		[]any{held, client},
		struct{ C *Client }{client},
		struct{ c *Client }{client},
		struct{ i *Initiator }{&Initiator{client: client}},
		struct{ S SecurityContext }{SecurityContext{key: key}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			for _, form := range append(secretForms(key.KeyValue), secretForms([]byte(password))...) {
				if strings.Contains(text, form) {
					t.Errorf("%T shows a secret with %s: %.120s", v, verb, text)
					break
				}
			}
		}
	}
}
