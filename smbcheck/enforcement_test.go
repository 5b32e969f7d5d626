package smbcheck_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

// What the server's audit log writes for a sign-in.
const (
	letIn        = "status [NT_STATUS_OK]"
	wrong        = "status [NT_STATUS_WRONG_PASSWORD]"
	accessDenied = 0xC0000022
)

func TestR02_EnforcementIsTriedWithOneSignIn(t *testing.T) {
	t.Parallel()
	for name, global := range map[string][]string{"2.1 is spoken": nil, "only 3.1.1 is": {"server min protocol = SMB3_11"}} {
		s := sambatest.Start(t, sambatest.Global(global...))
		before := strings.Count(s.Log(t), letIn)
		e, err := smbcheck.EnforcesEncryption(t.Context(), at("enc", ""), asRoot, smbcheck.Options{Addr: s.Addr})
		if err != nil || e.Verdict != smbcheck.Enforced {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if n := strings.Count(s.Log(t), letIn) - before; n != 1 {
			t.Errorf("%s: the server saw %d sign-ins", name, n)
		}
		bad := smbcheck.NTLM{User: sambatest.Member, Password: "not it"}
		e, err = smbcheck.EnforcesEncryption(t.Context(), at("enc", ""), bad, smbcheck.Options{Addr: s.Addr})
		if !errors.Is(err, smbcheck.ErrLogon) || e.Verdict != smbcheck.Unknown || e.Proven || e.Reason == "" {
			t.Errorf("%s: a wrong password: %+v, %v", name, e, err)
		}
		if n := strings.Count(s.Log(t), wrong); n != 1 {
			t.Errorf("%s: the server saw %d failures", name, n)
		}
	}
}

// refusal turns an answer into an unsigned STATUS_ACCESS_DENIED.
func refusal(f frame) []frame {
	f = append(f[:64:64], 9, 0, 0, 0, 0, 0, 0, 0, 0)
	le.PutUint32(f[8:], accessDenied)
	f.unsign()
	return pass(f)
}

// TestWhatWasNotTriedIsNoEnforcement has what may come instead of an honest answer. Only a refused sign-in, which nobody
// signs, can be made up, and then it is not called proven.
func TestWhatWasNotTriedIsNoEnforcement(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.WithShare("wish", "server smb encrypt = desired"),
		sambatest.Global("map to guest = bad user", "guest account = nobody"), sambatest.WithShare("open", "guest ok = yes"))
	onTree := func(change func(f frame) []frame) attack {
		return func(in bool, f frame) []frame {
			if in && f.plain() && f.command() == treeConnect {
				return change(f)
			}
			return pass(f)
		}
	}
	notOver := func(dialects ...smbcheck.Dialect) attack {
		return onAnswer(negotiate, func(f frame) []frame {
			if slices.Contains(dialects, smbcheck.Dialect(le.Uint16(f[64+4:]))) {
				f = refusal(f)[0]
				le.PutUint32(f[8:], 0xC00000BB)
			}
			return pass(f)
		})
	}
	two := []smbcheck.Dialect{smbcheck.SMB202, smbcheck.SMB210}
	every := append([]smbcheck.Dialect{smbcheck.SMB300, smbcheck.SMB302, smbcheck.SMB311}, two...)
	for name, c := range map[string]struct {
		share   string
		do      attack
		verdict smbcheck.Verdict
		proven  bool
		err     error
	}{
		"a forged refusal": {"wish", onTree(refusal), smbcheck.Unknown, false, smbcheck.ErrTampered},
		"a forged opening": {"enc", onTree(func(f frame) []frame {
			clear(f[8:12])
			f.unsign()
			return pass(append(f[:64:64], 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
		}), smbcheck.Unknown, false, smbcheck.ErrTampered},
		"a refusal changed into another":        {"enc", onTree(func(f frame) []frame { le.PutUint32(f[8:], 0xC00000CC); return pass(f) }), smbcheck.Unknown, false, smbcheck.ErrTampered},
		"an answer to another message":          {"enc", onTree(func(f frame) []frame { f[24]++; return pass(f) }), smbcheck.Unknown, false, smbcheck.ErrTampered},
		"no answer":                             {"enc", onTree(func(frame) []frame { return nil }), smbcheck.Unknown, false, smbcheck.ErrUnreachable},
		"a forged refusal of the sign-in":       {"wish", onAnswer(setup, refusal), smbcheck.Enforced, false, nil},
		"another refusal of the sign-in":        {"enc", onAnswer(setup, func(f frame) []frame { f = refusal(f)[0]; le.PutUint32(f[8:], 0xC000006D); return pass(f) }), smbcheck.Unknown, false, smbcheck.ErrLogon},
		"the end of the sign-in changed":        {"enc", onAnswer(setup, func(f frame) []frame { f[64+2] ^= 4; return pass(f) }), smbcheck.Unknown, false, smbcheck.ErrTampered},
		"SMB 2 kept away, wished":               {"wish", notOver(two...), smbcheck.NotEnforced, true, nil},
		"SMB 2 kept away, required":             {"enc", notOver(two...), smbcheck.Enforced, true, nil},
		"every dialect kept away":               {"enc", notOver(every...), smbcheck.Unknown, false, smbcheck.ErrDialect},
		"no such share":                         {"nothing", func(_ bool, f frame) []frame { return pass(f) }, smbcheck.Unknown, false, smbcheck.ErrShare},
		"nothing changed, wished":               {"wish", func(_ bool, f frame) []frame { return pass(f) }, smbcheck.NotEnforced, true, nil},
		"nothing changed, required":             {"enc", func(_ bool, f frame) []frame { return pass(f) }, smbcheck.Enforced, true, nil},
		"an empty message instead of an answer": {"enc", onTree(func(frame) []frame { return []frame{{}} }), smbcheck.Unknown, false, smbcheck.ErrProtocol},
		"the server goes instead of answering":  {"enc", onTree(func(frame) []frame { return []frame{nil} }), smbcheck.Unknown, false, smbcheck.ErrBroken},
	} {
		t.Run(name, func(t *testing.T) {
			opt := smbcheck.Options{Addr: startMiddle(t, s.Addr, c.do).addr}
			if errors.Is(c.err, smbcheck.ErrUnreachable) {
				opt.Timeout = 300 * time.Millisecond
			}
			e, err := smbcheck.EnforcesEncryption(t.Context(), at(c.share, ""), asRoot, opt)
			if !errors.Is(err, c.err) || e.Verdict != c.verdict || e.Proven != c.proven || !strings.HasSuffix(e.Reason, ".") {
				t.Errorf("%+v, %v; want %s, proven %v, %v", e, err, c.verdict, c.proven, c.err)
			}
			if err != nil && fault.Hint(err) == "" {
				t.Errorf("no hint: %v", err)
			}
		})
	}
	t.Run("an answer to another message, signed by the server", func(t *testing.T) {
		who := smbcheck.NewAccomplice(asRoot, smbcheck.SMB210)
		m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
			if err := who.Hear(in, f); err != nil {
				t.Error(err)
			}
			if !in || f.command() != treeConnect {
				return pass(f)
			}
			f[24]++
			f, err := who.Sign(f)
			if err != nil {
				t.Error(err)
			}
			return pass(f)
		})
		e, err := smbcheck.EnforcesEncryption(t.Context(), at("enc", ""), who, smbcheck.Options{Addr: m.addr})
		if !errors.Is(err, smbcheck.ErrTampered) || e.Verdict != smbcheck.Unknown {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("a guest", func(t *testing.T) {
		e, err := smbcheck.EnforcesEncryption(t.Context(), at("open", ""), smbcheck.NTLM{User: "ghost", Password: "whatever"}, smbcheck.Options{Addr: s.Addr})
		if !errors.Is(err, smbcheck.ErrGuest) || e.Verdict != smbcheck.Unknown {
			t.Errorf("%+v, %v", e, err)
		}
	})
}
