package smbcheck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/cloudsoda/go-smb2"
)

// probeTimeouts bounds a whole probe, in Options.Timeout: its connections are more than that, but each of them waits
// in vain at most once.
const probeTimeouts = 3

// Probe asks loc's server, without signing in, which versions, ciphers and signing algorithms of SMB it takes: one
// NEGOTIATE on each of up to 13 connections, since a connection negotiates once (MS-SMB2 3.3.5.3.1). What it returns is
// unauthenticated: nothing in it is proven, see ServerFacts. Refused is what the server answers with
// STATUS_NOT_SUPPORTED or STATUS_INVALID_PARAMETER, and what it closes the connection for without an answer.
//
// opt.Timeout is per connection, three times that is the bound of all. Answers shorter than an SMB header or longer than
// 64 KiB are refused. The error is a fault.Error; its cause is one of the Err values of this package. A server that only
// speaks SMB 1 is no error: Joinable tells.
func Probe(ctx context.Context, loc Location, opt Options) (ServerFacts, error) {
	p := prober{loc: loc, opt: opt, op: fmt.Sprintf(`ask \\%s at %s what it speaks`, loc.Server, opt.addr(loc.Server))}
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeouts*opt.timeout(), errSilent)
	defer cancel()
	if err := p.all(ctx); err != nil {
		if errors.Is(err, errSilent) && !errors.Is(err, ErrUnreachable) {
			err = fmt.Errorf("%w: %w in %s", ErrUnreachable, err, probeTimeouts*opt.timeout())
		}
		return ServerFacts{}, explain(p.op, err)
	}
	return p.facts, nil
}

type prober struct {
	loc   Location
	opt   Options
	op    string
	facts ServerFacts
	// answers counts those that took a dialect, signed those that demand signing.
	answers, signed int
	// mute is why nothing has been heard so far.
	mute error
}

func (p *prober) all(ctx context.Context) error {
	p.facts = ServerFacts{Dialects: []Dialect{}, Ciphers: []Cipher{}, SigningAlgorithms: []SigningAlgorithm{}}
	for _, d := range [...]Dialect{SMB311, SMB302, SMB300, SMB210, SMB202} {
		a, taken, err := p.offer(ctx, offer{d, allCiphers(), allSigning()})
		if err != nil {
			return err
		}
		if !taken {
			continue
		}
		p.facts.Dialects = append([]Dialect{d}, p.facts.Dialects...)
		if len(p.facts.Dialects) == 1 {
			p.facts.Capabilities = a.capabilities
		}
		switch {
		case d == SMB311:
			err = p.algorithms(ctx, a)
		case a.cipher != 0 && p.facts.Dialects[len(p.facts.Dialects)-1] != SMB311 && len(p.facts.Ciphers) == 0:
			p.facts.Ciphers = []Cipher{a.cipher}
		}
		if err != nil {
			return err
		}
	}
	p.facts.SigningRequired = p.answers > 0 && p.signed == p.answers
	var err error
	if p.facts.SMB1, err = p.smb1(ctx); err != nil {
		return err
	}
	if len(p.facts.Dialects) == 0 && !p.facts.SMB1 && p.mute != nil {
		return p.mute
	}
	return nil
}

func allCiphers() []Cipher           { return []Cipher{AES128CCM, AES128GCM, AES256CCM, AES256GCM} }
func allSigning() []SigningAlgorithm { return []SigningAlgorithm{HMACSHA256, AESCMAC, AESGMAC} }

// algorithms offers each cipher and each signing algorithm alone. first is the answer to all of them: a server that left
// a context out of it does not negotiate that at all.
func (p *prober) algorithms(ctx context.Context, first negotiateAnswer) error {
	if first.cipherContext {
		for _, c := range allCiphers() {
			a, taken, err := p.offer(ctx, offer{SMB311, []Cipher{c}, allSigning()})
			if err != nil {
				return err
			}
			if taken && a.cipher == c {
				p.facts.Ciphers = append(p.facts.Ciphers, c)
			}
		}
	}
	if !first.signingContext {
		p.facts.SigningAlgorithms = []SigningAlgorithm{AESCMAC}
		return nil
	}
	for _, s := range allSigning() {
		a, taken, err := p.offer(ctx, offer{SMB311, allCiphers(), []SigningAlgorithm{s}})
		if err != nil {
			return err
		}
		if taken && a.signingContext && a.signing == s {
			p.facts.SigningAlgorithms = append(p.facts.SigningAlgorithms, s)
		}
	}
	return nil
}

// offer makes one offer and tells whether the server took it.
func (p *prober) offer(ctx context.Context, o offer) (a negotiateAnswer, taken bool, err error) {
	request, err := o.request()
	if err != nil {
		return a, false, err
	}
	m, err := p.ask(ctx, request)
	if errors.Is(err, errHungUp) {
		p.mute = fmt.Errorf("%w: %w", ErrNotSMB, err)
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	a, taken, err = o.read(m)
	if taken {
		p.answers++
		p.facts.SigningEnabled = p.facts.SigningEnabled || a.signingEnabled
		if a.signingRequired {
			p.signed++
		}
	}
	return a, taken, err
}

// read understands the answer to an offer: taken, refused, or an error where neither can be said.
func (o offer) read(m []byte) (a negotiateAnswer, taken bool, err error) {
	if isSMB1(m) {
		return a, false, nil // it knows nothing newer
	}
	h := header(m)
	if err := h.valid(); err != nil {
		return a, false, err
	}
	if h.sealed() || h.command() != cmdNegotiate || h.flags()&flagResponse == 0 || h.next() != 0 || h.message() != 0 {
		return a, false, fmt.Errorf("%w: it is not an answer to NEGOTIATE", ErrProtocol)
	}
	switch s := h.status(); s {
	case 0:
	case statusNotSupported, statusInvalidParameter:
		return a, false, nil
	default:
		return a, false, &smb2.ResponseError{Code: s}
	}
	a, err = parseNegotiate(m)
	switch {
	case err != nil:
		return negotiateAnswer{}, false, err
	case a.dialect != o.dialect:
		return negotiateAnswer{}, false, fmt.Errorf("%w: SMB %s was offered and %s answered", ErrProtocol, o.dialect, a.dialect)
	}
	return a, true, nil
}

// smb1 tells whether the server takes SMB 1. No answer, or one that is not understood, is no.
func (p *prober) smb1(ctx context.Context) (bool, error) {
	m, err := p.ask(ctx, smb1Request())
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err != nil:
		return false, nil //nolint:nilerr // many servers and firewalls drop it in silence: it is not answered
	}
	return takesSMB1(m), nil
}

// errHungUp: the server closed the connection without an answer.
var errHungUp = errors.New("it closes the connection without an answer")

// ask sends one message on a connection of its own and returns the one that comes back.
func (p *prober) ask(ctx context.Context, request []byte) ([]byte, error) {
	conn, err := dial(ctx, p.op, p.loc, p.opt)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	m, err := exchange(conn, p.opt.timeout(), request)
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%w: %w for %s", ErrUnreachable, errSilent, p.opt.timeout())
	}
	return nil, err
}

func exchange(conn net.Conn, timeout time.Duration, request []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(frameOf(request)); err != nil {
		return nil, hungUp(err)
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, hungUp(err)
	}
	least := headerSize
	if isSMB1(request) {
		least = smb1Least
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	switch {
	case size[0] != 0:
		return nil, fmt.Errorf("%w: a message does not begin as SMB does", ErrNotSMB)
	case n < smb1Least || n > maxKept:
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrProtocol, n)
	}
	m := make([]byte, n)
	if _, err := io.ReadFull(conn, m); err != nil {
		return nil, fmt.Errorf("%w: in the middle of an answer: %w", ErrBroken, err)
	}
	if n < least && !isSMB1(m) {
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrProtocol, n)
	}
	return m, nil
}

// hungUp tells a closed connection from a silent one. A server that resets it does not want to talk either.
func hungUp(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return errHungUp
}
