package wsman

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestR04_NothingThatHoldsASecretPrintsIt(t *testing.T) {
	t.Parallel()
	const password = "Corr3ct-Horse"
	key := []byte("0123456789abcdef")
	account := &ntlmAccount{user: "u", domain: "d", key: hide(string(key))}
	basic := Basic("u", password)
	shaking := &ntlmHandshake{account: account, session: &Session{Sealer: newNTLMSealer(key, ntlmClientSide)}}
	plain := basic.start(Peer{})
	session, err := plain.Accept(nil)
	if err != nil {
		t.Fatal(err)
	}
	node := NewNode(Config{Addr: "127.0.0.1:1", Auth: basic})
	node.shell.conn.link = &link{authorization: hide(session.Authorization), sealer: newNTLMSealer(key, ntlmClientSide)}
	for _, v := range []any{
		basic, node,
		Config{Auth: basic},
		plain, session, &session, account, *account, shaking, newNTLMSealer(key, ntlmClientSide),
		node.shell.conn.link, node.shell.conn, node.shell,
		struct{ c *Credential }{basic},
		struct{ a *ntlmAccount }{account},
		[]any{plain, &session},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range [][]byte{key, []byte(password), []byte(base64.StdEncoding.EncodeToString([]byte("u:" + password)))} {
				for _, form := range []string{
					string(secret), fmt.Sprintf("%x", secret), strings.Trim(fmt.Sprintf("%d", secret), "[]"),
					strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}"),
				} {
					if strings.Contains(text, form) {
						t.Errorf("%T shows a secret with %s: %.160s", v, verb, text)
					}
				}
			}
		}
	}
	node.shell.conn.link = nil
}

func TestR02_AChallengeThatWouldSpoilOurAnswerGetsNone(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 30000} {
		h := &ntlmHandshake{account: &ntlmAccount{user: "u", domain: "d", key: hide(string(make([]byte, 16)))}, negotiate: ntlmNegotiate()}
		challenge := strongChallenge(avPair{avDomainName, make([]byte, size)}, avPair{0x77, make([]byte, size)})
		_, proof, err := h.Next(t.Context(), challenge)
		if fits := size == 1000; fits != proof || fits != (err == nil) {
			t.Errorf("%d bytes: proof %v, %v", size, proof, err)
		}
	}
}
