package winnode_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// lost are the ways in which an answer gets lost while the node is there.
func lost() map[string]error {
	return map[string]error{
		"forgotten logon": &wsman.HTTPError{Op: "Command", Status: 401},
		"starting":        &wsman.HTTPError{Op: "Command", Status: 503},
		"empty":           &wsman.HTTPError{Op: "Receive", Status: 200},
		"reset":           &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: io.ErrUnexpectedEOF},
		"forgotten shell": &wsman.Fault{Op: "Receive", Code: wsman.CodeShellGone},
	}
}

func TestWhatOnlyReadsIsAskedAgainWhenItsAnswerGotLost(t *testing.T) {
	for name, err := range lost() {
		s, f := newSite(t, "N1")
		s.on(agent.OpPendingGet, give(agent.Pending{}))
		s.at("N1").fail = slices.Repeat([]error{err}, 2) // the upload
		s.at("N1").lose = slices.Repeat([]error{err}, 3)
		if _, err := f.Node("N1").PendingRestart(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.at("N1").count(agent.OpPendingGet); got != 4 {
			t.Errorf("%s: asked %d times", name, got)
		}
	}
}

func TestAnAnswerWhoseOutputWasCutIsAskedForAgain(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpPendingGet, give(agent.Pending{}))
	cuts := 2
	s.at("N1").mangle = func(b []byte) []byte {
		cuts--
		switch cuts {
		case 1:
			return nil
		case 0:
			return b[:len(b)-9]
		}
		return b
	}
	if _, err := f.Node("N1").PendingRestart(t.Context()); err != nil || s.at("N1").count(agent.OpPendingGet) != 3 {
		t.Errorf("%v after %d times", err, s.at("N1").count(agent.OpPendingGet))
	}
}

func TestR30_WhenNoAnswerComesTheFirstReasonIsKept(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpPendingGet, give(agent.Pending{}))
	s.at("N1").lose = append([]error{&wsman.HTTPError{Op: "Receive", Status: 503}}, slices.Repeat([]error{&wsman.HTTPError{Op: "Receive", Status: 500}}, 99)...)
	_, err := f.Node("N1").PendingRestart(t.Context())
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Error(err)
	}
	if got := s.at("N1").count(agent.OpPendingGet); got < 3 || got > 9 {
		t.Errorf("asked %d times", got)
	}
}

func TestR18_WhatChangesSomethingIsNotRepeatedByItself(t *testing.T) {
	for name, err := range lost() {
		s, f := newSite(t, "N1")
		s.on(agent.OpNodeClean, give(agent.Clean{}))
		s.at("N1").lose = []error{err}
		if err := f.Node("N1").Clean(t.Context(), "r1"); err == nil || s.at("N1").count(agent.OpNodeClean) != 1 {
			t.Errorf("%s: %v, done %d times", name, err, s.at("N1").count(agent.OpNodeClean))
		}
	}
}

func TestR02_ARefusedLogonAndANodeThatIsAwayAreNotAskedAgain(t *testing.T) {
	silent := &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: wsman.ErrSilent}
	for _, final := range []error{errRejected, errAway, silent} {
		s, f := newSite(t, "N1")
		s.at("N1").fail = []error{final}
		if _, err := f.Node("N1").PendingRestart(t.Context()); !errors.Is(err, final) || len(s.at("N1").calls()) != 1 {
			t.Errorf("%v: %v", err, s.at("N1").calls())
		}
	}
}
