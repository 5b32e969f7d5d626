package wsmanserver

import (
	"fmt"
	"slices"
	"sync"
)

// Fault is a misbehaviour of the service, as data.
type Fault struct {
	// On is the message that it strikes: Create, Command, Send, Receive, Signal, Delete, Identify; Logon is
	// a request that proves who somebody is; any is each of them, where the kind makes sense.
	On string `json:"on"`
	// Skip is how many of them pass before the first is struck.
	Skip int `json:"skip,omitempty"`
	// Times is how many are struck: 0 means one, a negative number all from then on.
	Times int `json:"times,omitempty"`
	// Kind is one of the Kind constants.
	Kind string `json:"kind"`
	// Late strikes when the message has been acted upon: only its answer suffers. The kinds cut-body and
	// unsealed are always late, and a Logon never.
	Late bool `json:"late,omitempty"`
}

// The kinds of a Fault.
const (
	KindReset          = "reset"           // the connection is reset
	KindHang           = "hang"            // no answer, ever
	Kind401            = "401"             // and the context of the connection is gone
	Kind503            = "503"             // HTTP.sys without WinRM behind it: status 503, HTML
	Kind500HTML        = "500-html"        // status 500, HTML
	KindEmpty          = "empty"           // status 200 without a body
	KindCutHead        = "cut-head"        // the answer ends within its head
	KindCutBody        = "cut-body"        // the answer ends within its body
	KindNotSOAP        = "not-soap"        // a body, sealed if need be, that is HTML
	KindUnsealed       = "unsealed"        // the right answer, readable
	KindWrongFault     = "wrong-fault"     // a WS-Management fault that has nothing to do with the request
	KindServiceRestart = "service-restart" // every shell forgotten, every connection cut
	KindRefuseLogon    = "refuse-logon"    // the logon fails, whatever it proves, and no account counts it
)

const (
	onLogon = "Logon"
	onAny   = "any"
)

// strikes tells what a kind can strike, and whether it needs the right answer; known is false for a kind that
// there is not.
func strikes(kind string) (message, logon, late, known bool) {
	switch kind {
	case KindReset, KindHang, Kind401, Kind503, Kind500HTML, KindEmpty, KindCutHead, KindServiceRestart:
		return true, true, false, true
	case KindNotSOAP, KindWrongFault:
		return true, false, false, true
	case KindCutBody, KindUnsealed:
		return true, false, true, true
	case KindRefuseLogon:
		return false, true, false, true
	}
	return false, false, false, false
}

// Check refuses a fault that could never strike.
func (f Fault) Check() error {
	messages := []string{"Create", "Command", "Send", "Receive", "Signal", "Delete", "Identify", onAny}
	message, logon, _, known := strikes(f.Kind)
	switch {
	case !known:
		return fmt.Errorf("fault: there is no kind %q", f.Kind)
	case f.On != onLogon && !slices.Contains(messages, f.On):
		return fmt.Errorf("fault: there is no message %q", f.On)
	case f.On == onLogon && (!logon || f.Late):
		return fmt.Errorf("fault: %s, late %t, cannot strike a logon", f.Kind, f.Late)
	case f.On != onLogon && f.On != onAny && !message:
		return fmt.Errorf("fault: %s cannot strike %s", f.Kind, f.On)
	case f.Skip < 0:
		return fmt.Errorf("fault: a skip of %d", f.Skip)
	}
	return nil
}

// Inject replaces the faults that the service has from now on. It changes nothing when one of them could
// never strike.
func (s *Server) Inject(list []Fault) error {
	for _, f := range list {
		if err := f.Check(); err != nil {
			return err
		}
	}
	s.faults.replace(list)
	return nil
}

// faults are those that are still to come.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

func (f *faults) replace(list []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = slices.Clone(list)
	for i := range f.list {
		if f.list[i].Times == 0 {
			f.list[i].Times = 1
		}
	}
}

// draw counts a request towards all faults that it could be struck by and gives the first that is due. counted
// says that faults on any message have counted this request already, at its logon.
func (f *faults) draw(on string, counted bool) (due Fault, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.list {
		x := &f.list[i]
		can, logon, _, _ := strikes(x.Kind)
		if on == onLogon {
			can = logon && !x.Late
		}
		if !can || x.Times == 0 || x.On != on && (x.On != onAny || counted) {
			continue
		}
		switch {
		case x.Skip > 0:
			x.Skip--
		case !ok:
			due, ok = *x, true
			x.Times = max(x.Times-1, min(x.Times, -1))
		}
	}
	_, _, late, _ := strikes(due.Kind)
	due.Late = due.Late || late
	return due, ok
}
