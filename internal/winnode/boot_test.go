package winnode_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/internal/winnode"
	"cau/internal/winnode/agent"
)

// pc is a computer whose clock can be set: its boot time is what its clock says less its uptime, as Windows gives it.
type pc struct {
	run    *clock
	booted time.Time     // by the run's clock
	set    time.Duration // how far its clock is off
	slow   time.Duration // how long it takes to answer
}

func (p *pc) filetime() int64 { return p.booted.Add(p.set).UnixNano() / 100 }

func (p *pc) info(json.RawMessage) (any, *agent.OpError) {
	p.pass(p.slow)
	out := agent.BootInfo{BootFileTime: strconv.FormatInt(p.filetime(), 10), UptimeSeconds: p.run.Now().Sub(p.booted).Seconds(), AutoLogonChecked: true}
	p.pass(p.slow)
	return out, nil
}

func (p *pc) pass(d time.Duration) {
	p.run.mu.Lock()
	defer p.run.mu.Unlock()
	p.run.now = p.run.now.Add(d)
}

func newPC(t *testing.T) (*pc, *site, *winnode.Fleet) {
	t.Helper()
	s := &site{t: t, machines: map[string]*machine{"a": {t: t, name: "N1", ops: map[string]operation{}}}, clock: &clock{now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}}
	p := &pc{run: s.clock, booted: s.clock.Now().Add(-time.Hour)}
	s.on(agent.OpBootInfo, p.info)
	f, err := winnode.New(winnode.Config{Dialer: s, Clock: s.clock, Nodes: []winnode.NodeAddress{{Name: "N1", Address: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p, s, f
}

func TestR21_TheIdentityChangesWithEveryRestartAndWithNoClock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, _, f := newPC(t)
		defer f.Close()
		p.slow = time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds to answer")) * time.Second
		look := func() string {
			b, err := f.Node("N1").Boot(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			return b.Identity
		}
		asked := p.run.Now()
		identity, read, restarted := look(), p.filetime(), false
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"wait", "set the clock", "restart", "look"}).Draw(rt, "step") {
			case "wait":
				p.pass(time.Duration(rapid.IntRange(1, 100000).Draw(rt, "seconds")) * time.Second)
			case "set the clock":
				p.set += time.Duration(rapid.IntRange(-7200, 7200).Draw(rt, "by seconds")) * time.Second
			case "restart":
				p.pass(30 * time.Second)
				p.booted, restarted = p.run.Now(), true
				p.pass(10 * time.Second)
			case "look":
				if moved := math.Abs(float64(p.filetime() - read)); restarted && moved < 3e7 {
					continue // its clock was set so that the boot times are equal; nothing tells them apart
				}
				before := asked
				asked = p.run.Now()
				now := look()
				// A node that was looked at right after it started may have done so again meanwhile: nobody can tell.
				young := p.run.Now().Sub(p.booted)-p.slow <= p.run.Now().Sub(before)
				if restarted == (now == identity) && (restarted || !young) {
					rt.Fatalf("restarted %v, and %s is called %s", restarted, identity, now)
				}
				identity, read, restarted = now, p.filetime(), false
			}
		}
	})
}

func TestR21_AClockThatIsSetDoesNotKeepTheRestartFromBeingAsked(t *testing.T) {
	p, s, f := newPC(t)
	defer f.Close()
	n := f.Node("N1")
	b, err := n.Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.pass(10 * time.Minute)
	p.set = -20 * time.Minute
	jumps := 1 // once more between the look and the request
	var asked []string
	s.on(agent.OpNodeRestart, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.RestartArgs
		if err := json.Unmarshal(args, &a); err != nil {
			t.Error(err)
		}
		for ; jumps > 0; jumps-- {
			p.set += time.Hour
		}
		if a.ExpectBoot != strconv.FormatInt(p.filetime(), 10) {
			return agent.Restart{AlreadyRestarted: true}, nil
		}
		asked = append(asked, a.ExpectBoot)
		return agent.Restart{}, nil
	})
	if err := n.Restart(t.Context(), b.Identity, "x"); err != nil || len(asked) != 1 {
		t.Fatalf("asked %v, %v", asked, err)
	}
	p.pass(time.Minute)
	p.booted = p.run.Now()
	p.pass(time.Minute)
	if err := n.Restart(t.Context(), b.Identity, "late repetition"); err != nil || len(asked) != 1 {
		t.Errorf("a restarted node was restarted again: %v %v", asked, err)
	}
}

func TestR21_AnUptimeThatIsMissingOrNoneIsNoProof(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, in := range []string{`{"boot_filetime":"5"}`, `{"boot_filetime":"5","uptime_seconds":-1}`, `{"boot_filetime":"5","uptime_seconds":1e300}`, `{"boot_filetime":"-5","uptime_seconds":1}`} {
		s.on(agent.OpBootInfo, give(json.RawMessage(in)))
		if b, err := f.Node("N1").Boot(t.Context()); err == nil {
			t.Errorf("%s: %+v", in, b)
		}
	}
	s.on(agent.OpBootInfo, give(json.RawMessage(`{"boot_filetime":"5","uptime_seconds":1}`)))
	for _, answer := range []any{struct{}{}, map[string]any{"already_restarted": false}} {
		s.on(agent.OpNodeRestart, give(answer))
		if err := f.Node("N1").Restart(t.Context(), "5", "x"); err == nil {
			t.Errorf("%v is a restart", answer)
		}
	}
	s.on(agent.OpNodeRestart, give(agent.Restart{Code: 1190}))
	s.on(agent.OpNodeRestartAbort, give(struct{}{}))
	if err := f.Node("N1").Restart(t.Context(), "5", "x"); err == nil {
		t.Error("an abort without a result")
	}
}

func TestRequestCountsStayExactOverReconnects(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	s.counting = true
	s.on(agent.OpHello, give(agent.Hello{Computer: "N1"}))
	s.at("N2").ops[agent.OpHello] = give(agent.Hello{Computer: "N2"})
	requests := func() int64 {
		t.Helper()
		c, err := f.Contact(t.Context(), "N1")
		if err != nil || !c.Negotiated.Sealed {
			t.Fatal(err)
		}
		return c.Stats.Requests
	}
	if n := requests(); n != 2 { // upload, hello
		t.Error(n)
	}
	last := int64(2)
	for range 20 {
		f.Node("N1").Reconnect() // two more to close
		now := requests()
		if now < last+2 { // what closes the old shell may come late, and nothing is lost
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
	f.Close()
	if n := f.Stats("N1").Requests; n != 21*(2+2) {
		t.Errorf("%d requests are counted, %d were sent", n, 21*(2+2))
	}
	if n := f.Stats("N2").Requests; n != 0 {
		t.Errorf("N2 counts those of N1: %d", n)
	}
}

func TestTheWholeFleetIsDescribedAtOnceAndInOrder(t *testing.T) {
	var names []string
	for i := range 64 {
		names = append(names, fmt.Sprintf("N%02d", i))
	}
	s, f := newSite(t, names...)
	for _, m := range s.machines {
		m.ops[agent.OpHello] = give(agent.Hello{Computer: m.name, Fqdn: m.name + ".contoso.test"})
	}
	s.at("N07").fail = []error{errAway}
	for i, d := range f.DescribeAll(t.Context()) {
		if d.Name != names[i] || (d.Err != nil) != (i == 7) || (i != 7 && d.Node.Fqdn != names[i]+".contoso.test") {
			t.Errorf("%+v", d)
		}
		if s.at(names[i]).shells != 1 {
			t.Errorf("%s has %d shells", d.Name, s.at(names[i]).shells)
		}
	}
}
