package wsman_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"cau/internal/lab/ntlm"
	"cau/internal/lab/wsmanserver"
	"cau/internal/wsman"
)

// echoRunner plays cmd.exe: it repeats its line on stdout and its input on stderr.
type echoRunner struct{}

func (echoRunner) Run(_ context.Context, _, line string, stdin io.Reader, stdout, stderr io.Writer) int64 {
	_, _ = io.WriteString(stdout, line)
	if line == "cat" {
		_, _ = io.Copy(stderr, stdin)
	}
	return 0x80070BC2
}

// The lab's service was written by another hand from the same documents.
func TestTheLabsWinRMServiceAndWeUnderstandEachOther(t *testing.T) {
	book := &ntlm.Book{}
	book.Add(ntlm.Account{Domain: domain, User: user, Password: password})
	s := wsmanserver.New(wsmanserver.Config{Computer: "NODE1", Domain: domain, DNSDomain: "contoso.com", Accounts: book, Runner: echoRunner{}})
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := wsman.NewNode(wsman.Config{Addr: s.Address(), Host: "NODE1", Auth: wsman.NTLM(user, domain, password)})
	for i := range 3 {
		line, input := fmt.Sprintf("line %d <&> ]]> ü", i), []byte(nil)
		if i == 2 {
			line, input = "cat", make([]byte, 200<<10)
		}
		r, err := n.Run(t.Context(), line, input)
		if err != nil || string(r.Stdout) != line || len(r.Stderr) != len(input) || uint32(r.Exit) != 0x80070BC2 {
			t.Fatalf("%d: %q, %d bytes, exit %x, %v", i, r.Stdout, len(r.Stderr), uint32(r.Exit), err)
		}
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Readable != 0 || st.Logons != 1 || st.Refused != 0 || st.Open != 0 || st.Shells != 1 {
		t.Fatalf("the service heard %+v", st)
	}
}

// Ended commands count towards the quota of operations for as long as their shell lives.
func TestALongRunIsNotStoppedByTheQuotaOfOperations(t *testing.T) {
	t.Parallel()
	book := &ntlm.Book{}
	book.Add(ntlm.Account{Domain: domain, User: user, Password: password})
	s := wsmanserver.New(wsmanserver.Config{
		Computer: "NODE1", Domain: domain, DNSDomain: "contoso.com", Accounts: book, Runner: echoRunner{},
		Quotas: wsmanserver.Quotas{MaxConcurrentOperationsPerUser: 110},
	})
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := wsman.NewNode(wsman.Config{Addr: s.Address(), Host: "NODE1", Auth: wsman.NTLM(user, domain, password)})
	for i := range 250 {
		if r, err := n.Run(t.Context(), "again", nil); err != nil || string(r.Stdout) != "again" {
			t.Fatalf("%d: %q, %v", i, r.Stdout, err)
		}
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Shells != 3 || st.MostShells != 1 || st.Logons != 1 || st.Open != 0 {
		t.Fatalf("the service heard %+v", st)
	}
}
