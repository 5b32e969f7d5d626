package winnode_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestR02_OneNodeFirstAndNothingAfterARejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"N1", "N2", "N3", "N4"}
		s, f := newSite(t, names...)
		s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
		hold := make(chan struct{})
		for _, m := range s.machines {
			m.hold = hold
			m.fail = []error{errRejected, errRejected, errRejected}
		}
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, errs[i] = f.Node(names[i%4]).Boot(t.Context()) })
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		tried := 0
		for _, m := range s.machines {
			tried += len(m.calls())
		}
		if tried != 1 {
			t.Errorf("the rejected secret was sent %d times", tried)
		}
		for i, err := range errs {
			var auth *wsman.AuthError
			if !errors.As(err, &auth) || !strings.Contains(fault.Hint(err), "tried once") {
				t.Errorf("caller %d: %v (%s)", i, err, fault.Hint(err))
			}
		}
		if _, err := f.Describe(t.Context(), "N1"); err == nil {
			t.Error("a peer was asked after the rejection")
		}
	})
}

func TestR02_TheOthersWaitForTheFirstSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"N1", "N2", "N3"}
		s, f := newSite(t, names...)
		s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
		hold := make(chan struct{})
		for _, m := range s.machines {
			m.hold = hold
		}
		var wg sync.WaitGroup
		for _, n := range names {
			wg.Go(func() {
				if _, err := f.Node(n).Boot(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		busy := func() (n int) {
			synctest.Wait()
			for _, m := range s.machines {
				n += m.atWork()
			}
			return n
		}
		if n := busy(); n != 1 {
			t.Errorf("%d nodes see the secret before it is proven", n)
		}
		hold <- struct{}{} // the first upload succeeds
		if n := busy(); n != 3 {
			t.Errorf("%d nodes are at work after it is proven", n)
		}
		close(hold)
		wg.Wait()
	})
}

func TestAnUnreachableFirstNodeDoesNotUseUpTheCredential(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
	s.at("N1").fail = []error{errAway}
	if _, err := f.Node("N1").Boot(t.Context()); err == nil {
		t.Fatal("N1 is away")
	}
	if _, err := f.Node("N2").Boot(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheBundleIsUploadedOnceAndAgainWhenItIsGone(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
	boot := func() {
		t.Helper()
		if _, err := f.Node("n1").Boot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	boot()
	boot()
	if got := m.calls(); !slices.Equal(got, []string{"upload", "boot.info", "boot.info"}) {
		t.Fatal(got)
	}
	m.uploaded = false // somebody cleaned the node
	boot()
	if m.count("upload") != 2 {
		t.Error(m.calls())
	}
	f.Node("N1").Reconnect()
	boot()
	if m.count("upload") != 3 || m.shells != 2 {
		t.Errorf("%v, %d shells", m.calls(), m.shells)
	}
	f.Close()
	if m.closed != 2 {
		t.Errorf("%d of 2 shells closed", m.closed)
	}
	if _, err := f.Node("N1").Boot(t.Context()); err == nil {
		t.Error("a closed fleet connects again")
	}
}

func TestNothingIsDoneOnAnotherComputerThanTheNode(t *testing.T) {
	s, f := newSite(t, "NODE1", "A-RATHER-LONG-NODE-NAME", "N3.contoso.test")
	s.on(agent.OpNodeClean, give(agent.Clean{}))
	s.at("NODE1").name = "NODE2"
	err := f.Node("NODE1").Clean(t.Context(), "r1")
	if !errors.Is(err, winnode.ErrWrongNode) || fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
	if got := s.at("NODE1").calls(); !slices.Equal(got, []string{"upload"}) {
		t.Errorf("the wrong computer was told %v", got)
	}
	s.at("A-RATHER-LONG-NODE-NAME").name = "A-RATHER-LONG-N" // NetBIOS
	s.at("N3.contoso.test").name = "n3"
	for _, n := range []string{"A-RATHER-LONG-NODE-NAME", "N3.contoso.test"} {
		if err := f.Node(n).Clean(t.Context(), "r1"); err != nil {
			t.Error(err)
		}
	}
	if err := f.Node("NOBODY").Clean(t.Context(), "r1"); !errors.Is(err, winnode.ErrUnknownNode) {
		t.Errorf("an unknown node: %v", err)
	}
}

func TestR30_ErrorsKeepNodeNumberAndReason(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*machine)
		code fault.Code
		want string
		hint string
	}{
		{"win32", func(m *machine) { m.ops[agent.OpBootInfo] = refuse("win32", 5) }, 5, "Windows says no [31m", "permissions"},
		{"hresult of a win32 error", func(m *machine) { m.ops[agent.OpBootInfo] = refuse("hresult", 0x80071763) }, 5987, "Windows says no", "degraded"},
		{"signed", func(m *machine) { m.ops[agent.OpBootInfo] = refuse("hresult", -2147023651) }, 1245, "Windows says no", ""},
		{"away", func(m *machine) { m.fail = []error{errAway} }, 0, "connection refused", ""},
		{"shell gone", func(m *machine) {
			m.fail = slices.Repeat([]error{&wsman.Fault{Op: "Receive", Code: 0x8033805B, Message: "not found"}}, 9)
		}, 0x8033805B, "refused: not found (0x8033805B ERROR_WSMAN_UNEXPECTED_SELECTORS)", "restarted"},
		{"constrained language", func(m *machine) { m.exit = agent.ExitLanguage }, 0, "FullLanguage", "AppLocker"},
		{"bundle removed at once", func(m *machine) { m.exit = agent.ExitNoBundle }, 0, "not on the node", "anti-virus"},
		{"script does not start", func(m *machine) { m.exit, m.stderr = 1, "powershell is \x07broken" }, 0, "powershell is broken; exit code 1", ""},
		{"cut answer", func(m *machine) {
			m.ops[agent.OpBootInfo] = give(agent.BootInfo{})
			m.mangle = func(b []byte) []byte { return b[:len(b)-9] }
		}, 0, "cut or changed", ""},
		{"wrong data", func(m *machine) { m.ops[agent.OpBootInfo] = give([]int{1}) }, 0, "data", ""},
		{"no boot time", func(m *machine) { m.ops[agent.OpBootInfo] = give(agent.BootInfo{BootFileTime: "x\x1b"}) }, 0, `boot time "x"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newSite(t, "N1")
			c.set(s.at("N1"))
			_, err := f.Node("N1").Boot(t.Context())
			var e *fault.Error
			if !errors.As(err, &e) || e.Node != "N1" || e.Op != "read the boot identity" || e.Code != c.code {
				t.Fatalf("%+v", err)
			}
			if strings.Count(err.Error(), "0x") > 1 {
				t.Errorf("the number is shown twice: %v", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.Hint(err), c.hint) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%q, hint %q", err, fault.Hint(err))
			}
		})
	}
}

func TestACancelledCallReturnsAndReachesNobodyElse(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	for _, m := range s.machines {
		m.hold = make(chan struct{})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := f.Describe(ctx, "N1"); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.at("N3").shells != 0 {
		t.Error("the next peer was asked although nobody waits any more")
	}
}

func TestDiscoverAsksOneAddressAfterTheOther(t *testing.T) {
	s, _ := newSite(t, "N1", "N2")
	s.on(agent.OpHello, give(agent.Hello{Computer: "N2", Domain: "contoso.test", LanguageMode: "FullLanguage"}))
	c := threeUp()
	c.Fqdn = "fc1.contoso.test"
	s.on(agent.OpClusterGet, give(c))
	s.at("N1").fail = []error{errAway}
	d, err := winnode.Discover(t.Context(), winnode.Config{Dialer: s, Clock: s.clock}, "at-N1", "at-N2")
	if err != nil {
		t.Fatal(err)
	}
	if d.Address != "at-N2" || d.Node.Computer != "N2" || d.Cluster.Name != "FC1" || d.ClusterFqdn != "fc1.contoso.test" || len(d.Cluster.Nodes) != 3 {
		t.Errorf("%+v", d)
	}
	named := winnode.Config{Dialer: s, Clock: s.clock, Nodes: []winnode.NodeAddress{{Name: "x", Address: "at-N2", Host: "n2.contoso.test"}}}
	if _, err := winnode.Discover(t.Context(), named, "at-N2"); err != nil || !slices.Equal(s.at("N2").hosts, []string{"", "n2.contoso.test"}) {
		t.Errorf("reached as %q, %v", s.at("N2").hosts, err)
	}
	if _, err := winnode.Discover(t.Context(), winnode.Config{Dialer: s, Clock: s.clock}); err == nil {
		t.Error("no address")
	}
	s.on(agent.OpClusterGet, refuse("missing", 0))
	var e *fault.Error
	if _, err := winnode.Discover(t.Context(), winnode.Config{Dialer: s, Clock: s.clock}, "at-N2"); !errors.As(err, &e) || e.Node != "at-N2" {
		t.Errorf("no cluster there: %v", err)
	}
}

func TestR02_DiscoverStopsAtARejection(t *testing.T) {
	s, _ := newSite(t, "N1", "N2")
	s.at("N1").fail = []error{errRejected}
	if _, err := winnode.Discover(t.Context(), winnode.Config{Dialer: s, Clock: s.clock}, "at-N1", "at-N2"); err == nil {
		t.Error("rejected")
	}
	if n := len(s.at("N2").calls()); n != 0 {
		t.Errorf("the second address was tried %d times", n)
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"node1":                  "http://node1:5985",
		"node1.contoso.test:123": "http://node1.contoso.test:123",
		"HTTPS://node1":          "https://node1:5986",
		"https://node1:8443/":    "https://node1:8443",
		"[fd00::1]":              "http://[fd00::1]:5985",
		"http://[fd00::1]:99":    "http://[fd00::1]:99",
	} {
		a, err := winnode.ParseAddress(in)
		if err != nil || a.String() != want {
			t.Errorf("%s: %s %v", in, a, err)
		}
	}
	for _, in := range []string{"", ":5985", "ftp://x", "https://", "a b", "x:0", "x:65536", "x:", "user@x", "x/path", "x?q", `\\x\y`, "x:port", "http://user:secret@x", "%zz", "::1", "[fe80::1%25eth0]", "<x>"} {
		if a, err := winnode.ParseAddress(in); err == nil {
			t.Errorf("%q became %s", in, a)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("https://[::1]:5986")
	f.Fuzz(func(t *testing.T, in string) {
		a, err := winnode.ParseAddress(in)
		if err != nil {
			return
		}
		if again, err := winnode.ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q: %+v, again %+v %v", in, a, again, err)
		}
	})
}

func TestAFleetNeedsNodesWithDistinctNames(t *testing.T) {
	s, _ := newSite(t)
	for name, nodes := range map[string][]winnode.NodeAddress{
		"none": nil, "unnamed": {{Address: "x"}}, "twice": {{Name: "n1", Address: "x"}, {Name: "N1", Address: "y"}},
	} {
		if _, err := winnode.New(winnode.Config{Nodes: nodes, Dialer: s, Clock: s.clock}); err == nil {
			t.Error(name)
		}
	}
}

func TestR02_OnlyARefusalOfTheCredentialItselfEndsItsUse(t *testing.T) {
	for _, c := range []struct {
		err   *wsman.AuthError
		final bool
	}{
		{&wsman.AuthError{Reason: wsman.Rejected}, true},
		{&wsman.AuthError{Reason: wsman.Locked}, true},
		{&wsman.AuthError{Reason: wsman.PasswordExpired}, true},
		{&wsman.AuthError{Reason: wsman.ClockSkew, FromNode: true}, false},
		{&wsman.AuthError{Reason: wsman.TicketRefused, FromNode: true}, false},
		{&wsman.AuthError{Reason: wsman.Expired}, false},
		{&wsman.AuthError{Reason: wsman.NotSealed}, false},
	} {
		s, f := newSite(t, "N1", "N2")
		s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
		s.at("N1").fail = []error{c.err}
		if _, err := f.Node("N1").Boot(t.Context()); !errors.Is(err, c.err) {
			t.Fatal(err)
		}
		if _, err := f.Node("N2").Boot(t.Context()); (err != nil) != c.final {
			t.Errorf("after %v the next node: %v", c.err, err)
		}
	}
}
