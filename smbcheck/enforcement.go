package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/cloudsoda/go-smb2"
)

// Verdict answers whether a share lets in clients that cannot encrypt.
type Verdict uint8

// Unknown is the zero value: what was not tried, or could not be told, is no pass.
const (
	Unknown Verdict = iota
	Enforced
	NotEnforced
)

// String is "unknown", "enforced" or "not-enforced".
func (v Verdict) String() string {
	switch v {
	case Enforced:
		return "enforced"
	case NotEnforced:
		return "not-enforced"
	default:
		return "unknown"
	}
}

// MarshalText writes the verdict as String does.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Enforcement is what EnforcesEncryption found, and why.
type Enforcement struct {
	Verdict Verdict `json:"verdict"`
	// Proven: the answer that decided it is signed with the session's key. The refusal of a sign-in never is, since there
	// is no session: somebody on the way could have sent it.
	Proven bool `json:"proven"`
	// Dialect is the one that was tried; 0 if none was.
	Dialect Dialect `json:"dialect"`
	// Reason is one sentence for a person.
	Reason string `json:"reason"`
}

// EnforcesEncryption signs in to loc's server as a client that cannot encrypt and tries to open loc's share. A server may
// ask its clients for encryption and still let in those that cannot (Windows: RejectUnencryptedAccess $false, Samba:
// desired); Facts.EncryptData is the same for both, this tells them apart:
//   - Enforced: the share, or the sign-in, was refused with STATUS_ACCESS_DENIED (MS-SMB2 3.3.5.5 and 3.3.5.7);
//   - NotEnforced: the share was opened. A server that would refuse only what comes after that counts as NotEnforced too;
//   - Unknown: anything else; then there is an error, and Reason says the same in short.
//
// It says nothing about a share that does not demand encryption: that one is NotEnforced.
//
// It tries SMB 2.1, which has no encryption, and 2.0.2. A server that speaks neither is tried over 3.1.1 (3.0.2, 3.0) by a
// client that does not say that it could encrypt: that nothing as old as 2.1 gets in would not rule those out. Options
// other than AllowOlder count; nothing that is read over this connection is believed for anything else.
//
// It is a second sign-in. Call it only after Connect has succeeded with the same location and credential, never before and
// never after a refused one: a refusal here counts as the server's answer to the dialect only because everything else was
// already accepted, and a wrong password must not be tried twice (R02). It signs in once itself, over the first dialect
// that the server speaks.
func EnforcesEncryption(ctx context.Context, loc Location, cred Credentials, opt Options) (Enforcement, error) {
	var e Enforcement
	var err error
	for _, d := range [...]Dialect{SMB210, SMB202, SMB311, SMB302, SMB300} {
		e, err = enforces(ctx, loc, cred, opt, d)
		if !errors.Is(err, ErrDialect) {
			break
		}
	}
	if err != nil {
		return Enforcement{Dialect: e.Dialect, Reason: fmt.Sprintf("It could not be tried: %v.", err)}, err
	}
	return e, nil
}

// Enforcement is EnforcesEncryption with the location and the credential of this connection, which have been accepted.
func (c *Connection) Enforcement(ctx context.Context) (Enforcement, error) {
	return EnforcesEncryption(ctx, c.loc, c.cred, c.opt)
}

func enforces(ctx context.Context, loc Location, cred Credentials, opt Options, dialect Dialect) (Enforcement, error) {
	op := fmt.Sprintf(`try %s over SMB %s without encryption`, Location{Server: loc.Server, Share: loc.Share}, dialect)
	e := Enforcement{Dialect: dialect}
	who, err := cred.initiator(ctx, loc.Server)
	if err != nil {
		return e, explain(op, err)
	}
	raw, err := dial(ctx, op, loc, opt)
	if err != nil {
		return e, err
	}
	c := &Connection{loc: loc, timeout: opt.timeout(), tap: newTap(raw, dialect)}
	defer c.abandon(ErrClosed)
	err = c.call(ctx, op, func(ctx context.Context, _ func()) (err error) {
		e, err = c.unencrypted(ctx, who, dialect)
		return err
	})
	return e, err
}

// unencrypted signs in without encryption and opens the share. The library only signs in: it would fail where the server
// asks for encryption all the same, and its keys are not the server's (see unable).
func (c *Connection) unencrypted(ctx context.Context, who initiator, dialect Dialect) (Enforcement, error) {
	e := Enforcement{Dialect: dialect}
	d := smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true, SpecifiedDialect: uint16(dialect)},
		Initiator:  who,
	}
	_, err := d.DialConn(ctx, &unable{Conn: c.tap}, c.loc.Server)
	rec := c.tap.handshake(false)
	if err != nil {
		err = c.whyNot(rec, dialect, who, err)
		if c.tap.refused() == nil && rec.negotiate != nil && rec.setup == nil && rec.setupStatus == statusAccessDenied {
			e.Verdict = Enforced
			e.Reason = fmt.Sprintf("A sign-in over SMB %s without encryption is refused, with an answer that cannot be signed.", dialect)
			return e, nil
		}
		return e, err
	}
	// That the session asks for encryption is an error to those who go on with it; here it is what is being tried.
	f, k, err := prove(rec, who.SessionKey())
	if err != nil && (f.Guest || !f.SetupVerified) {
		return e, err
	}
	m, err := c.openPlain(ctx, rec, k)
	if err != nil {
		return e, err
	}
	switch status := header(m).status(); status {
	case 0:
		e.Verdict, e.Proven = NotEnforced, true
		e.Reason = fmt.Sprintf("A client that cannot encrypt can open the share, over SMB %s.", dialect)
	case statusAccessDenied:
		e.Verdict, e.Proven = Enforced, true
		e.Reason = fmt.Sprintf("The share is refused to a client that cannot encrypt, over SMB %s.", dialect)
	default:
		return e, &smb2.ResponseError{Code: status}
	}
	return e, nil
}

// openPlain sends a signed TREE_CONNECT as the next message of the session and returns its answer, verified.
func (c *Connection) openPlain(ctx context.Context, rec handshake, k keys) ([]byte, error) {
	last := header(rec.transcript[len(rec.transcript)-1]) // prove has seen a whole sign-in
	request, err := treeConnect(c.loc, last.message()+1, header(rec.setup).session(), k)
	if err != nil {
		return nil, err
	}
	if _, err := c.tap.Write(request); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	var m []byte
	select {
	case m = <-c.tap.tree:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.tap.over:
		select {
		case m = <-c.tap.tree: // it came just before the end
		default:
			return nil, fmt.Errorf("%w: instead of an answer about the share", ErrBroken)
		}
	}
	switch {
	case !k.signed(m):
		return nil, fmt.Errorf("%w: the share's answer is not signed with the session's key", ErrTampered)
	case header(m).message() != last.message()+1:
		return nil, fmt.Errorf("%w: the share's answer is to another message", ErrTampered)
	}
	return m, nil
}

// treeConnect writes a frame with a signed TREE_CONNECT (MS-SMB2 2.2.9).
func treeConnect(loc Location, message, session uint64, k keys) ([]byte, error) {
	var path []byte
	for _, u := range utf16.Encode([]rune(Location{Server: loc.Server, Share: loc.Share}.String())) {
		path = le.AppendUint16(path, u)
	}
	const fixed = 8
	m := make([]byte, headerSize+fixed, headerSize+fixed+len(path))
	copy(m, "\xFESMB\x40")
	if k.dialect != SMB202 {
		m[6] = 1 // CreditCharge
	}
	m[offCommand] = cmdTreeConnect
	m[14] = 1 // CreditRequest
	m[offFlags] = flagSigned
	le.PutUint64(m[offMessage:], message)
	le.PutUint64(m[offSession:], session)
	body := m[headerSize:]
	body[0] = fixed + 1
	le.PutUint16(body[4:], headerSize+fixed)
	le.PutUint16(body[6:], uint16(len(path)))
	m = append(m, path...)
	mac, err := k.signature(m)
	if err != nil {
		return nil, err
	}
	copy(m[offSignature:], mac)
	return frameOf(m), nil
}
