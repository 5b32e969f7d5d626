package wsman_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"cau/internal/kerberos"
	"cau/internal/wsman"
)

// A password whose proof a domain controller got without a verdict must not follow by NTLM, not even when that
// controller is gone by then.
func TestR02_APasswordWithoutAVerdictIsNotSentByNTLMEither(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	info, err := asn1.Marshal([]types.ETypeInfo2Entry{{EType: 18, Salt: "salt"}})
	if err != nil {
		t.Fatal(err)
	}
	hints, err := asn1.Marshal(types.PADataSequence{{PADataType: 19, PADataValue: info}})
	if err != nil {
		t.Fatal(err)
	}
	wanted := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/R"), "R", errorcode.KDC_ERR_PREAUTH_REQUIRED, "")
	wanted.EData = hints
	answer, err := wanted.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var heard atomic.Int64
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var head [4]byte
			if _, err := io.ReadFull(c, head[:]); err == nil {
				_, _ = io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[:])))
				if heard.Add(1) == 1 {
					_, _ = c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
				} else {
					_ = l.Close() // the second message is the proof
				}
			}
			_ = c.Close()
		}
	}()
	client, err := kerberos.Open(kerberos.Config{User: user, Realm: "R", Password: password, KDCs: []string{l.Addr().String()}, ConfigFile: "/dev/null"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	shared := wsman.KerberosOrNTLM(client, "", user, domain, password)
	w := newWiretap(t, func(int, *http.Request, []byte) string {
		return status("401 Unauthorized", "WWW-Authenticate: Negotiate")
	})
	for range 3 {
		_, err := w.node(t, as(shared, "node1.r")).Run(t.Context(), "echo x", nil)
		if e := reason(t, err, wsman.Unanswered); !e.Final() || wsman.Hint(err) == "" {
			t.Errorf("got %v", err)
		}
	}
	<-served
	if _, requests := w.heard(); requests != 0 || heard.Load() != 2 {
		t.Errorf("the node heard %d requests, the domain controller %d", requests, heard.Load())
	}
}

func TestALoweredMaxTimeoutIsNamed(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	s.interceptOn = func(op string, _ int, c *serverConn, w http.ResponseWriter) bool {
		reply(w, c.session, false, 500, soapFault(2150858881))
		return true
	}
	_, err := s.node(t).Run(t.Context(), "echo x", nil)
	if wsman.Code(err) != wsman.CodeTimeoutHeader || !contains([]byte(wsman.Hint(err)), "MaxTimeoutms") {
		t.Fatalf("%v, hint %q", err, wsman.Hint(err))
	}
}
