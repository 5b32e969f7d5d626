package coordinator

import (
	"context"
	"encoding/json"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"cau/engine"
)

const (
	// notifyQueue bounds the messages that wait; what comes when it is full is lost, and that is said.
	notifyQueue = 64
	// lastNotices bounds the wait for the last messages of a run that has ended; cutNotices that of one that goes on elsewhere.
	lastNotices = 20 * time.Second
	cutNotices  = 3 * time.Second
	// keptFailures is how many failed deliveries are remembered.
	keptFailures = 5
	maxNotified  = 64 << 10
)

// Notices tells people about a run. Delivering is not part of the run: it blocks and fails nothing.
type Notices struct {
	// Text is what to say about a fact; empty where it is none to be told of.
	Text func(f engine.Fact) (title, text string)
	// Send delivers one message and returns one error for each service that did not take it. The errors hold no address (R04).
	// It returns soon after ctx has ended.
	Send func(ctx context.Context, title, text string) []error
}

// Notified is what is known of a run's notifications. The zero value: nobody was told of anything.
type Notified struct {
	// Fact is the number of the last fact that was told, or did not need to be.
	Fact int `json:"fact"`
	// Sent and Failed count messages; one that some service took and some did not is both.
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// Failures are the latest.
	Failures []NotifyFailure `json:"failures,omitempty"`
}

// NotifyFailure is one message that a service did not take.
type NotifyFailure struct {
	Time time.Time `json:"time"`
	// About is the message's title, Why names the service's kind and the reason.
	About string `json:"about"`
	Why   string `json:"why"`
}

// Notified reads what is known of a run's notifications; false where there never were any.
func (h *Home) Notified(run string) (Notified, bool) {
	var n Notified
	data, err := readBounded(h.in(run, notifiedFile), maxNotified)
	if err != nil || json.Unmarshal(data, &n) != nil {
		return Notified{}, false
	}
	return n, true
}

// notice is one message on its way.
type notice struct {
	number      int
	title, text string
}

// notifier tells people, one message after the other.
type notifier struct {
	Notices
	path string
	say  func(string)
	// after is the last fact that needs no telling.
	after int
	known Notified // the sending goroutine's

	queue chan notice
	// full: the disk's last room is for facts.
	full    atomic.Bool
	cancel  context.CancelFunc
	sending sync.WaitGroup
}

// notify begins to tell people. facts is how many facts the journal holds. A coordinator that finds no word of earlier
// notifications begins with what happens from now on: nobody wants a list of what is long over.
func (h *Home) notify(run string, n Notices, facts int, say func(string)) *notifier {
	ctx, cancel := context.WithCancel(context.Background())
	t := &notifier{Notices: n, path: h.in(run, notifiedFile), say: say, queue: make(chan notice, notifyQueue), cancel: cancel}
	var was bool
	if t.known, was = h.Notified(run); !was {
		t.known = Notified{Fact: facts}
		t.save()
	}
	t.after = t.known.Fact
	t.sending.Go(func() { t.deliver(ctx) })
	return t
}

// tell queues what is to be said about a fact; number is its place in the journal. It never blocks.
func (t *notifier) tell(number int, f engine.Fact) {
	if t == nil || number <= t.after {
		return
	}
	title, text := t.Text(f)
	if title == "" {
		return
	}
	select {
	case t.queue <- notice{number, title, text}:
	default:
		t.say("a notification was lost, because those before it were not delivered yet: " + title)
	}
}

// deliver sends until the queue is closed. What was not sent when ctx ends is for the next coordinator.
func (t *notifier) deliver(ctx context.Context) {
	for n := range t.queue {
		if ctx.Err() != nil {
			continue
		}
		errs := t.Send(ctx, n.title, n.text)
		failed := false
		for _, err := range errs {
			if err != nil {
				failed = true
				t.fail(n.title, err)
			}
		}
		switch {
		case !failed:
			t.known.Sent++
		case ctx.Err() != nil:
			t.known.Failed++
			t.save()
			continue // it may be sent again
		default:
			t.known.Failed++
		}
		t.known.Fact = n.number
		t.save()
	}
}

// fail remembers a message that a service did not take, and says so in the log.
func (t *notifier) fail(title string, err error) {
	why := oneLine(err.Error())
	t.say("a notification was not delivered by " + why + ": " + title)
	t.known.Failures = append(t.known.Failures, NotifyFailure{Time: time.Now().UTC().Truncate(time.Second), About: title, Why: why})
	t.known.Failures = t.known.Failures[max(0, len(t.known.Failures)-keptFailures):]
}

// save replaces the file in one act. That it could not be written costs a message that is sent twice, and no more.
func (t *notifier) save() {
	if t.full.Load() {
		return
	}
	data, err := json.Marshal(t.known)
	if err != nil {
		return
	}
	tmp := t.path + ".new"
	_ = os.Remove(tmp)
	if err := writeSynced(tmp, append(data, '\n')); err == nil {
		err = os.Rename(tmp, t.path)
		if err == nil {
			return
		}
	}
	_ = os.Remove(tmp)
	t.say("what was notified could not be kept; after a resume it may be sent again")
}

// keepNothing ends writing: what is sent from now on may be sent again after a resume.
func (t *notifier) keepNothing() {
	if t != nil {
		t.full.Store(true)
	}
}

// close waits for the messages on their way, but not longer than within.
func (t *notifier) close(within time.Duration) {
	if t == nil {
		return
	}
	close(t.queue)
	cut := time.AfterFunc(within, t.cancel)
	t.sending.Wait()
	cut.Stop()
	t.cancel()
}
