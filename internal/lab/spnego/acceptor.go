package spnego

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"cau/internal/lab/ntlm"
)

// TokenError says that a token is not SPNEGO as this package understands it, or
// that its mechanism list was altered on the way.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return "bad SPNEGO token: " + e.Err.Error() }

// Unwrap gives the reason.
func (e *TokenError) Unwrap() error { return e.Err }

// maxMechs bounds the list of a client; Windows sends at most five.
const maxMechs = 16

// Acceptor runs one SPNEGO handshake around an NTLM handshake. It is used once
// and not safe for concurrent use.
type Acceptor struct {
	inner    *ntlm.Acceptor
	started  bool
	bare     bool   // the client speaks NTLM without SPNEGO
	named    bool   // the mechanism was already named to the client
	mechList []byte // as the client sent it
}

// NewAcceptor wraps inner, which the caller still asks for identity and keys.
func NewAcceptor(inner *ntlm.Acceptor) *Acceptor { return &Acceptor{inner: inner} }

// Next takes a token of the client and gives the answer, which goes out also
// when done. Errors are those of [ntlm.Acceptor.Next] or a *[TokenError].
func (a *Acceptor) Next(in []byte) (out []byte, done bool, err error) {
	if !a.started && bytes.HasPrefix(in, []byte("NTLMSSP\x00")) {
		a.started, a.bare = true, true
	}
	if a.bare {
		return a.inner.Next(in)
	}
	t, err := parse(in)
	if err != nil {
		return nil, false, &TokenError{Err: err}
	}
	if t.initial == a.started {
		return nil, false, &TokenError{Err: errors.New("token out of order")}
	}
	if t.initial {
		return a.begin(t)
	}
	return a.proceed(t)
}

func (a *Acceptor) begin(t *token) ([]byte, bool, error) {
	a.started = true
	if len(t.mechs) > maxMechs {
		return nil, false, &TokenError{Err: fmt.Errorf("%d mechanisms", len(t.mechs))}
	}
	at := slices.IndexFunc(t.mechs, oidNTLM().Equal)
	if at < 0 {
		return nil, false, &TokenError{Err: errors.New("the client does not offer NTLM")}
	}
	a.mechList = bytes.Clone(t.mechList)
	if at > 0 || len(t.inner) == 0 {
		// The token, if any, belongs to the mechanism the client prefers.
		a.named = true
		out, err := response(acceptIncomplete, true, nil, nil)
		return out, false, err
	}
	return a.proceed(t)
}

func (a *Acceptor) proceed(t *token) ([]byte, bool, error) {
	inner, done, err := a.inner.Next(t.inner)
	if err != nil {
		return nil, false, err
	}
	if !done {
		named := !a.named
		a.named = true
		out, err := response(acceptIncomplete, named, inner, nil)
		return out, false, err
	}
	mic, err := a.signList(t.mic)
	if err != nil {
		return nil, false, err
	}
	out, err := response(acceptCompleted, false, nil, mic)
	return out, err == nil, err
}

// signList checks the client's signature of the mechanism list and answers with
// ours. A client that sent none gets none: then its preferred mechanism was taken
// and the NTLM messages protect themselves (RFC 4178 5).
func (a *Acceptor) signList(theirs []byte) ([]byte, error) {
	if len(theirs) == 0 {
		return nil, nil
	}
	session, err := a.inner.Session()
	if err != nil {
		return nil, err
	}
	if err := session.Verify(a.mechList, theirs); err != nil {
		return nil, &TokenError{Err: fmt.Errorf("mechanism list: %w", err)}
	}
	return session.Sign(a.mechList), nil
}
