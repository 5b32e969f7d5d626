package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

const (
	// attempts is how often a service is tried for one message, firstPause how long after the first failure; it doubles.
	attempts   = 3
	firstPause = 2 * time.Second
	// answerWithin bounds one attempt.
	answerWithin = 15 * time.Second
)

// Sender sends to all of its services. Its methods are for any goroutine.
type Sender struct{ services []*service }

// service is one address. It prints as nothing but its kind (R04).
type service struct {
	kind string
	to   types.Service
	// busy holds the one call that may be under way: the library's calls cannot be cancelled.
	busy chan struct{}
}

// String, GoString and Format keep the addresses out of whatever prints a Sender (R04).
func (*Sender) String() string { return "notify.Sender" }

// GoString is String for %#v.
func (*Sender) GoString() string { return "notify.Sender{}" }

// Format is String for every other verb.
func (*Sender) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "notify.Sender") }

// Open makes a sender; nothing is sent to anyone. Errors hold no address.
func Open(addresses []string) (*Sender, error) {
	s := &Sender{}
	for i, a := range addresses {
		to, err := locate(a)
		if err != nil {
			return nil, fmt.Errorf("address %d: %w", i+1, err)
		}
		s.services = append(s.services, &service{kind: to.GetID(), to: to, busy: make(chan struct{}, 1)})
	}
	return s, nil
}

// locate finds the service of an address. What it does not know it describes without showing it.
func locate(address string) (to types.Service, err error) {
	defer func() {
		if recover() != nil {
			to, err = nil, errPanic
		}
	}()
	scheme, _, found := strings.Cut(address, "://")
	if !found {
		return nil, errors.New("it is no address such as ntfy://host/topic")
	}
	to, failed := (&router.ServiceRouter{}).Locate(address)
	kind, _, _ := strings.Cut(scheme, "+")
	switch {
	case failed != nil && strings.Contains(failed.Error(), "unknown service"):
		return nil, errors.New("shoutrrr knows no such service; write a webhook as generic+https://host/path")
	case failed != nil:
		return nil, fmt.Errorf("it is no complete address of the service %s", known(kind))
	case to.GetID() == "logger":
		return nil, errors.New("the service logger tells nobody")
	}
	return to, nil
}

// known is a service's name where shoutrrr has it; what somebody typed in its place is not shown.
func known(kind string) string {
	for _, name := range (&router.ServiceRouter{}).ListServices() {
		if strings.EqualFold(name, kind) {
			return name
		}
	}
	return "that is named"
}

// Services are the kinds of the services in order: "smtp", "generic".
func (s *Sender) Services() []string {
	out := make([]string, 0, len(s.services))
	for _, to := range s.services {
		out = append(out, to.kind)
	}
	return out
}

// Send sends one message to every service at once, each a few times until it takes it, and returns the answers in the
// services' order: nil, or an *Error. It returns when all have answered or ctx has ended.
func (s *Sender) Send(ctx context.Context, title, text string) []error {
	out := make([]error, len(s.services))
	var sending sync.WaitGroup
	for i, to := range s.services {
		sending.Go(func() {
			if err := to.persist(ctx, title, text); err != nil {
				out[i] = &Error{to.kind, reason(err)}
			}
		})
	}
	sending.Wait()
	return out
}

func (s *service) persist(ctx context.Context, title, text string) error {
	pause := firstPause
	var first error // the later ones are often only its consequence
	for i := 1; ; i++ {
		err := s.once(ctx, title, text)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
		if i == attempts || ctx.Err() != nil {
			return first
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return first
		}
		pause *= 2
	}
}

// once is one attempt. The library's call cannot be cancelled: one that does not return is left to end by itself, or with
// the process, and the service gets nothing more before that.
func (s *service) once(ctx context.Context, title, text string) error {
	select {
	case s.busy <- struct{}{}:
	default:
		return errBusy
	}
	answered := make(chan error, 1)
	go func() {
		defer func() { <-s.busy }()
		defer func() {
			if recover() != nil {
				answered <- errPanic
			}
		}()
		answered <- s.to.Send(text, s.params(title))
	}()
	limit := time.NewTimer(answerWithin)
	defer limit.Stop()
	select {
	case err := <-answered:
		return err
	case <-limit.C:
		return errTimeout
	case <-ctx.Done():
		return errTimeout
	}
}

// params gives the title to the services that have a place for one; others would refuse it. The text says it too.
func (s *service) params(title string) *types.Params {
	switch s.kind {
	case "smtp", "ntfy", "gotify", "pushover", "pushbullet", "bark", "opsgenie", "join", "generic":
		return &types.Params{types.TitleKey: title}
	}
	return &types.Params{}
}
