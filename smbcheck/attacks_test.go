package smbcheck_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

// Commands, MS-SMB2 2.2.1.2.
const (
	logoff         = 2
	create         = 5
	closeFile      = 6
	readFile       = 8
	queryDirectory = 14
	queryInfo      = 16
)

var le = binary.LittleEndian

// attack is what a man in the middle who knows no key does to one connection at a time.
type attack func(fromServer bool, f frame) []frame

func pass(f frame) []frame { return []frame{f} }

// onAnswer changes the server's successful, unsealed answers to a command.
func onAnswer(command uint16, change func(f frame) []frame) attack {
	return func(in bool, f frame) []frame {
		if in && f.answer(command) {
			return change(f)
		}
		return pass(f)
	}
}

// onRequest changes the client's unsealed requests.
func onRequest(command uint16, change func(f frame)) attack {
	return func(in bool, f frame) []frame {
		if !in && f.plain() && f.command() == command {
			change(f)
		}
		return pass(f)
	}
}

// contexts calls each with the negotiate contexts of a 3.1.1 NEGOTIATE: their kinds, and their data.
func contexts(f frame, each func(kind, data []byte)) {
	offset, count := f[64+60:], f[64+6:]
	if le.Uint32(f[16:])&1 == 0 { // a request
		offset, count = f[64+28:], f[64+32:]
	}
	at := int(le.Uint32(offset))
	for range le.Uint16(count) {
		at = (at + 7) &^ 7
		size := int(le.Uint16(f[at+2:]))
		each(f[at:at+2], f[at+8:at+8+size])
		at += 8 + size
	}
}

func replaceCipher(f frame, c smbcheck.Cipher) {
	contexts(f, func(kind, data []byte) {
		if le.Uint16(kind) == 2 {
			for at := 2; at+2 <= len(data); at += 2 {
				le.PutUint16(data[at:], uint16(c))
			}
		}
	})
}

// throughout connects, lists, reads and hashes; it returns the last facts, and the first error.
func throughout(ctx context.Context, addr, share string, who smbcheck.Credentials, opt smbcheck.Options) (smbcheck.Facts, error) {
	opt.Addr = addr
	c, err := smbcheck.Connect(ctx, at(share, "root"), who, opt)
	if err != nil {
		return smbcheck.Facts{}, err
	}
	defer func() { _ = c.Close() }()
	tree, err := c.Walk(ctx, smbcheck.Limits{Entries: 300})
	if err != nil {
		return c.Facts(), err
	}
	entries := tree.Entries
	if len(entries) != 1 || entries[0].Path != "file.txt" || entries[0].Size != 5 || entries[0].Dir || entries[0].Reparse {
		return c.Facts(), fmt.Errorf("%w the listing %+v", errBelieved, entries)
	}
	b, err := c.ReadFile(ctx, "file.txt", 10, nil)
	if err != nil {
		return c.Facts(), err
	}
	if string(b) != "hello" {
		return c.Facts(), fmt.Errorf("%w %q", errBelieved, b)
	}
	sum, n, err := c.HashFile(ctx, "file.txt", nil)
	if err == nil && (n != 5 || sum != sha256.Sum256([]byte("hello"))) {
		err = fmt.Errorf("%w the hash of %d bytes", errBelieved, n)
	}
	if err != nil {
		return c.Facts(), err
	}
	return c.Facts(), nil
}

// errBelieved: a lie was taken for the truth.
var errBelieved = errors.New("believed")

func attacked(t *testing.T, global ...string) *sambatest.Server {
	t.Helper()
	s := sambatest.Start(t, sambatest.Global(global...), sambatest.WithShare("dfs", "msdfs root = yes"), sambatest.WithShare("ro", "read only = yes"))
	for _, share := range []string{"plain", "enc", "dfs", "ro"} {
		write(t, filepath.Join(s.Dir(share), "root", "file.txt"), []byte("hello"))
	}
	return s
}

// TestWhatIsChangedOnTheWayIsRefused has the attacks that end a connection, over SMB 3.1.1 with and without older dialects
// allowed, and, where the attack means something there, against servers that speak 3.0.2 and 2.1 at most.
func TestWhatIsChangedOnTheWayIsRefused(t *testing.T) {
	t.Parallel()
	tree := func(change func(body []byte)) attack {
		return onAnswer(treeConnect, func(f frame) []frame { change(f[64:]); return pass(f) })
	}
	unsigned := func(a attack) attack {
		return func(in bool, f frame) []frame {
			before := string(f)
			out := a(in, f)
			if string(f) != before {
				f.unsign()
			}
			return out
		}
	}
	flags := func(set, unset uint32) func([]byte) {
		return func(body []byte) { le.PutUint32(body[4:], le.Uint32(body[4:])&^unset|set) }
	}
	strip := func(command uint16) attack {
		return onAnswer(command, func(f frame) []frame { f.unsign(); return pass(f) })
	}
	attacks := map[string]struct {
		share string
		newer bool // means something over 3.1.1 only
		do    func() attack
	}{
		"the share's answer without its signature": {"plain", false, func() attack { return strip(treeConnect) }},
		"CREATE's answer without its signature":    {"plain", false, func() attack { return strip(create) }},
		"CLOSE's answer without its signature":     {"plain", false, func() attack { return strip(closeFile) }},
		"READ's answer without its signature":      {"plain", false, func() attack { return strip(readFile) }},
		"a listing without its signature":          {"plain", false, func() attack { return strip(queryDirectory) }},
		"encryption flag set":                      {"plain", false, func() attack { return tree(flags(0x8000, 0)) }},
		"encryption flag set, unsigned":            {"plain", false, func() attack { return unsigned(tree(flags(0x8000, 0))) }},
		"encryption flag cleared":                  {"enc", true, func() attack { return tree(flags(0, 0x8000)) }},
		"encryption flag cleared, unsigned":        {"enc", true, func() attack { return unsigned(tree(flags(0, 0x8000))) }},
		"DFS flags cleared":                        {"dfs", false, func() attack { return tree(flags(0, 3)) }},
		"DFS flags cleared, unsigned":              {"dfs", false, func() attack { return unsigned(tree(flags(0, 3))) }},
		"maximal access raised":                    {"ro", false, func() attack { return tree(func(b []byte) { le.PutUint32(b[12:], fullControl) }) }},
		"maximal access raised, unsigned":          {"ro", false, func() attack { return unsigned(tree(func(b []byte) { le.PutUint32(b[12:], fullControl) })) }},
		"share's type changed":                     {"plain", false, func() attack { return tree(func(b []byte) { b[2] = 2 }) }},
		"the session's guest bit":                  {"plain", false, func() attack { return onAnswer(setup, func(f frame) []frame { f[64+2] |= 1; return pass(f) }) }},
		"the session's guest bit, unsigned": {"plain", false, func() attack {
			return onAnswer(setup, func(f frame) []frame { f[64+2] |= 1; f.unsign(); return pass(f) })
		}},
		"the session's anonymous bit": {"plain", false, func() attack {
			return onAnswer(setup, func(f frame) []frame { f[64+2] |= 2; f.unsign(); return pass(f) })
		}},
		"the end of the sign-in twice":                  {"plain", false, func() attack { return onAnswer(setup, func(f frame) []frame { return []frame{f, f} }) }},
		"the share's answer twice":                      {"plain", false, func() attack { return onAnswer(treeConnect, func(f frame) []frame { return []frame{f, f} }) }},
		"a sign-in goes on after its end":               {"plain", false, goesOn},
		"the client's own request instead of an answer": {"plain", false, throwBack},
		"the client's signature":                        {"plain", false, func() attack { return onRequest(treeConnect, func(f frame) { f.unsign() }) }},
		"another cipher chosen": {"enc", true, func() attack {
			return onAnswer(negotiate, func(f frame) []frame { replaceCipher(f, smbcheck.AES128CCM); return pass(f) })
		}},
		"another cipher offered": {"enc", true, func() attack { return onRequest(negotiate, func(f frame) { replaceCipher(f, smbcheck.AES128CCM) }) }},
		"no cipher offered":      {"enc", true, func() attack { return onRequest(negotiate, func(f frame) { replaceCipher(f, 0x77) }) }},
		"an unknown cipher chosen": {"plain", true, func() attack {
			return onAnswer(negotiate, func(f frame) []frame { replaceCipher(f, 0); return pass(f) })
		}},
		"signing not demanded by the client": {"plain", true, func() attack { return onRequest(negotiate, func(f frame) { f[64+4] = 1 }) }},
		"signing not demanded by the server": {"plain", true, func() attack { return onAnswer(negotiate, func(f frame) []frame { f[64+2] = 1; return pass(f) }) }},
		"the client's capabilities":          {"plain", true, func() attack { return onRequest(negotiate, func(f frame) { f[64+8] ^= 0x40 }) }},
		"the client's salt": {"plain", true, func() attack {
			return onRequest(negotiate, func(f frame) { contexts(f, func(_, data []byte) { data[len(data)-1] ^= 1 }) })
		}},
		"the client's dialect is 3.0.2": {"plain", true, func() attack { return onRequest(negotiate, func(f frame) { le.PutUint16(f[64+36:], 0x0302) }) }},
		"the client's dialect is 2.1":   {"plain", true, func() attack { return onRequest(negotiate, func(f frame) { le.PutUint16(f[64+36:], 0x0210) }) }},
	}
	// Where the server notices first, or where no key exists yet that would tell an attack from an honest answer.
	otherwise := map[string]error{
		"the client's signature": smbcheck.ErrAccess, "no cipher offered": smbcheck.ErrCipher, "an unknown cipher chosen": smbcheck.ErrCipher,
	}
	for _, server := range []struct {
		name   string
		older  []bool
		newest bool
		global []string
	}{
		{"3.1.1", []bool{false, true}, true, []string{"server signing = mandatory"}},
		{"3.0.2", []bool{true}, false, []string{"server max protocol = SMB3_02"}},
		{"2.1", []bool{true}, false, []string{"server max protocol = SMB2_10"}},
	} {
		s := attacked(t, server.global...)
		for name, a := range attacks {
			if a.newer && !server.newest {
				continue
			}
			for _, older := range server.older {
				t.Run(fmt.Sprintf("%s/%s/older allowed %v", server.name, name, older), func(t *testing.T) {
					m := startMiddle(t, s.Addr, a.do())
					f, err := throughout(t.Context(), m.addr, a.share, asRoot, smbcheck.Options{AllowOlder: older})
					if err == nil || errors.Is(err, errBelieved) {
						t.Fatalf("%v: %+v", err, f)
					}
					if want := otherwise[name]; want != nil {
						if !errors.Is(err, want) {
							t.Errorf("%v, want %v", err, want)
						}
					} else if !errors.Is(err, smbcheck.ErrTampered) && !errors.Is(err, smbcheck.ErrGuest) {
						t.Errorf("not said as what it is: %v", err)
					}
				})
			}
		}
	}
}

// goesOn sends another SESSION_SETUP answer, not the last one by its status, after the sign-in has ended.
func goesOn() attack {
	var mu sync.Mutex
	var more frame
	return func(in bool, f frame) []frame {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case in && f.plain() && f.command() == setup && f.status() != 0:
			more = append(frame(nil), f...)
		case in && f.answer(setup):
			return []frame{f, more}
		}
		return pass(f)
	}
}

// throwBack answers a signed CREATE with the CREATE itself, whose signature is right.
func throwBack() attack {
	var mu sync.Mutex
	var request frame
	return func(in bool, f frame) []frame {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !in && f.plain() && f.command() == create:
			request = append(frame(nil), f...)
		case in && f.plain() && f.command() == create:
			return []frame{request}
		}
		return pass(f)
	}
}

// What older dialects leave open is said: these attacks go through, and the facts do not claim otherwise.
func TestADowngradeThatWasAllowedIsMarked(t *testing.T) {
	s := attacked(t, "server signing = mandatory")
	refuse := func(f frame) []frame {
		le.PutUint32(f[8:], 0xC00000BB) // STATUS_NOT_SUPPORTED
		return []frame{append(f[:64:64], 9, 0, 0, 0, 0, 0, 0, 0, 0)}
	}
	no311 := onAnswer(negotiate, func(f frame) []frame {
		if le.Uint16(f[64+4:]) == uint16(smbcheck.SMB311) {
			return refuse(f)
		}
		f[64+2] &^= 2 // and the others do not demand signing
		return pass(f)
	})
	m := startMiddle(t, s.Addr, no311)
	if _, err := throughout(t.Context(), m.addr, "plain", asRoot, smbcheck.Options{}); !errors.Is(err, smbcheck.ErrDialect) {
		t.Errorf("older not allowed: %v", err)
	}
	f, err := throughout(t.Context(), m.addr, "plain", asRoot, smbcheck.Options{AllowOlder: true})
	if err != nil {
		t.Fatal(err)
	}
	if f.DowngradeProtected || f.Dialect != smbcheck.SMB302 || f.SigningRequired || !f.SetupVerified || !f.ShareVerified {
		t.Errorf("%+v", f)
	}
	if inClear(f.Received) {
		t.Errorf("not signed: %+v", f.Received)
	}
	for _, r := range smbcheck.Checks(smbcheck.Seen{Facts: f}) {
		if r.ID == "smb.integrity" && r.Outcome == "pass" {
			t.Errorf("%+v", r)
		}
	}
}

// A client's demand for signatures is in its SESSION_SETUP too, and it asks for them by itself.
func TestADemandForSignaturesTakenOutOfAnOlderNegotiationChangesNothing(t *testing.T) {
	s := attacked(t, "server max protocol = SMB3_02")
	m := startMiddle(t, s.Addr, onRequest(negotiate, func(f frame) { f[64+4] = 1 }))
	f, err := throughout(t.Context(), m.addr, "plain", asRoot, smbcheck.Options{AllowOlder: true})
	if err != nil || inClear(f.Received) || f.Sent.Plain > 3 {
		t.Errorf("%+v, %v", f, err)
	}
}

// A share's answer that the server once gave to another sign-in proves nothing in this one.
func TestAnAnswerFromAnotherSessionIsRefused(t *testing.T) {
	t.Parallel()
	s := attacked(t)
	var mu sync.Mutex
	var earlier frame
	m := startMiddle(t, s.Addr, onAnswer(treeConnect, func(f frame) []frame {
		mu.Lock()
		defer mu.Unlock()
		if earlier == nil {
			earlier = append(frame(nil), f...)
			return pass(f)
		}
		copy(f[64:], earlier[64:])
		copy(f[48:64], earlier[48:64])
		return pass(f)
	}))
	if _, err := throughout(t.Context(), m.addr, "ro", asRoot, smbcheck.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := throughout(t.Context(), m.addr, "plain", asRoot, smbcheck.Options{}); !errors.Is(err, smbcheck.ErrTampered) {
		t.Errorf("%v", err)
	}
}

// The server sees that a request came twice; whatever it does then, the share is answered for once or not at all.
func TestARequestSentTwiceMakesNoSecondShare(t *testing.T) {
	s := attacked(t)
	for _, share := range []string{"plain", "enc"} {
		m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
			if !in && f.plain() && f.command() == treeConnect {
				return []frame{f, f}
			}
			return pass(f)
		})
		if _, err := throughout(t.Context(), m.addr, share, asRoot, smbcheck.Options{}); err != nil &&
			!errors.Is(err, smbcheck.ErrBroken) && !errors.Is(err, smbcheck.ErrTampered) {
			t.Errorf("%s: %v", share, err)
		}
	}
}

// On a share that demands encryption nothing may come in clear: not as the server would have said it, and not even with a
// right signature, which somebody without the keys cannot make.
func TestAnUnsealedAnswerOnAnEncryptedShareIsRefused(t *testing.T) {
	t.Parallel()
	for name, global := range map[string][]string{"the share": nil, "the session": {"server smb encrypt = required"}} {
		s := attacked(t, global...)
		for _, command := range []uint16{create, closeFile, readFile, queryDirectory} {
			for _, signed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s demands it, command %d, signed %v", name, command, signed), func(t *testing.T) {
					who := smbcheck.NewAccomplice(asRoot, smbcheck.SMB311)
					done := false
					m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
						if err := who.Hear(in, f); err != nil {
							t.Error(err)
						}
						if !in || f[0] != 0xFD {
							return pass(f)
						}
						text, err := who.Open(f)
						if err != nil {
							t.Error(err)
						}
						plain := frame(text)
						if !plain.answer(command) {
							return pass(f)
						}
						done = true
						if signed {
							if plain, err = who.Sign(plain); err != nil {
								t.Error(err)
							}
						}
						return []frame{plain}
					})
					f, err := throughout(t.Context(), m.addr, "enc", who, smbcheck.Options{})
					if !errors.Is(err, smbcheck.ErrTampered) || !done {
						t.Errorf("%v, attacked %v: %+v", err, done, f)
					}
				})
			}
		}
	}
}
