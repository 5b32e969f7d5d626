//go:build unix

package coordinator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cau/engine"
)

// people are told of nodes that ended and of the run's end.
type people struct {
	mu    sync.Mutex
	told  []string
	err   error
	delay time.Duration
}

func (p *people) notices() *Notices {
	return &Notices{
		Text: func(f engine.Fact) (string, string) {
			if f.Kind == engine.FactNodeEnded || f.Kind == engine.FactRunEnded {
				return strings.TrimSpace(string(f.Kind) + " " + f.Node), "text"
			}
			return "", ""
		},
		Send: func(ctx context.Context, title, _ string) []error {
			p.mu.Lock()
			delay, err := p.delay, p.err
			p.mu.Unlock()
			if delay > 0 {
				select {
				case <-time.After(delay):
				case <-ctx.Done():
					return []error{ctx.Err()}
				}
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if err == nil {
				p.told = append(p.told, title)
			}
			return []error{nil, err}
		},
	}
}

func (p *people) heard() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, ", ")
}

// serveHere executes a run in this process; installations end at once.
func serveHere(ctx context.Context, t *testing.T, h *Home, run string, n *Notices) (engine.State, error) {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.release(t)
	return Serve(ctx, ServeInput{
		Home: h, Run: run, Plugin: plugin{w}, Cluster: w, Clock: fastClock{time.Now()}, Notices: n,
		Nodes: func(name string) engine.Node { return node{name} },
	})
}

func TestPeopleAreToldOfEveryFactThatTheyWantToHearOfOnceInOrder(t *testing.T) {
	h, p := newHome(t), &people{}
	plan := testPlan("0000aa01", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	if _, was := h.Notified(plan.Run); was {
		t.Error("somebody was told before the run began")
	}
	s, err := serveHere(t.Context(), t, h, plan.Run, p.notices())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, n := range plan.Nodes {
		if len(n.Updates) > 0 {
			want = append(want, "node.ended "+n.Name)
		}
	}
	want = append(want, "run.ended")
	if got := p.heard(); got != strings.Join(want, ", ") {
		t.Errorf("told %s, not %s", got, want)
	}
	if n, was := h.Notified(plan.Run); !was || n.Fact != s.Facts || n.Sent != len(want) || n.Failed != 0 {
		t.Errorf("%+v", n)
	}
}

func TestADeliveryThatFailsIsARemarkAndNothingElse(t *testing.T) {
	h, p := newHome(t), &people{err: errors.New("smtp: the connection was refused")}
	plan := testPlan("0000aa02", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	s, err := serveHere(t.Context(), t, h, plan.Run, p.notices())
	if err != nil || s.Status != engine.RunSucceeded {
		t.Fatalf("%s %v", s.Status, err)
	}
	n, _ := h.Notified(plan.Run)
	if n.Failed == 0 || n.Sent != 0 || len(n.Failures) == 0 || n.Failures[len(n.Failures)-1].Why != "smtp: the connection was refused" || n.Failures[len(n.Failures)-1].About != "run.ended" {
		t.Errorf("%+v", n)
	}
	log, err := os.ReadFile(h.in(plan.Run, telemetryFile))
	if err != nil || !strings.Contains(string(log), "a notification was not delivered by smtp: the connection was refused: node.ended") {
		t.Errorf("the log does not say so: %v\n%s", err, log)
	}
	if words := h.LastWords(plan.Run); words != "" {
		t.Errorf("it is taken for the coordinator's end: %s", words)
	}
}

func TestAfterAResumeNobodyIsToldTwiceAndNothingIsLeftOut(t *testing.T) {
	h := newHome(t)
	plan := testPlan("0000aa03", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	// The first coordinator dies after its second node ended; of that nobody was told.
	first := &people{}
	ctx, cancel := context.WithCancel(t.Context())
	n := first.notices()
	text := n.Text
	ended := 0
	n.Text = func(f engine.Fact) (string, string) {
		if f.Kind == engine.FactNodeEnded {
			if ended++; ended == 2 {
				first.mu.Lock()
				first.delay = time.Hour
				first.mu.Unlock()
				cancel()
			}
		}
		return text(f)
	}
	if s, err := serveHere(ctx, t, h, plan.Run, n); err == nil || s.Status.Ended() {
		t.Fatalf("%s %v", s.Status, err)
	}
	if got := first.heard(); got != "node.ended "+plan.Nodes[0].Name {
		t.Fatalf("first told %s", got)
	}
	second := &people{}
	if s, err := serveHere(t.Context(), t, h, plan.Run, second.notices()); err != nil || !s.Status.Ended() {
		t.Fatalf("%s %v", s.Status, err)
	}
	if got := second.heard(); !strings.HasPrefix(got, "node.ended "+plan.Nodes[1].Name) || strings.Contains(got, plan.Nodes[0].Name) || !strings.HasSuffix(got, "run.ended") {
		t.Errorf("after the resume they were told %s", got)
	}
}

func TestARunThatIsOnlyTalkedAboutFromNowOnDoesNotRepeatItsPast(t *testing.T) {
	h, p := newHome(t), &people{}
	plan := testPlan("0000aa04", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	told := h.notify(plan.Run, *p.notices(), 7, func(string) {})
	for i := 1; i <= 9; i++ {
		told.tell(i, engine.Fact{Kind: engine.FactNodeEnded, Node: fmt.Sprint(i)})
	}
	told.close(time.Minute)
	if got := p.heard(); got != "node.ended 8, node.ended 9" {
		t.Errorf("told %s", got)
	}
}

func TestSlowPeopleNeverHoldUpARun(t *testing.T) {
	h, p := newHome(t), &people{delay: time.Hour}
	plan := testPlan("0000aa05", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	var said []string
	told := h.notify(plan.Run, *p.notices(), 0, func(line string) { said = append(said, line) })
	begin := time.Now()
	for i := range 3 * notifyQueue {
		told.tell(i+1, engine.Fact{Kind: engine.FactNodeEnded, Node: "N"})
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s to tell", took)
	}
	told.close(time.Millisecond)
	if !slices.ContainsFunc(said, func(l string) bool { return strings.Contains(l, "a notification was lost") }) {
		t.Errorf("that some are lost is not said: %v", said)
	}
	if n, _ := h.Notified(plan.Run); n.Fact != 0 {
		t.Errorf("what nobody took counts as told: %+v", n)
	}
}
