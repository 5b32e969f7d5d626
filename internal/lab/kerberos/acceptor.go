package kerberos

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Refusals that are this machine's policy, not Kerberos'.
var (
	// ErrNotSealed refuses an initiator that does not ask for mutual
	// authentication, integrity and confidentiality where they are required.
	ErrNotSealed = errors.New("the initiator does not ask for mutual authentication and sealing")
	// ErrBindings refuses an initiator that is bound to another TLS channel, or to
	// none where one is required.
	ErrBindings = errors.New("the initiator is not bound to this TLS channel")
)

// AcceptorConfig is a machine's side of a logon.
type AcceptorConfig struct {
	// Keytab holds the keys of the machine's services, as [KDC.Keytab] gives them.
	Keytab []byte
	// Services are the only names that are accepted, such as
	// WSMAN/node1.lab.example; none means every name of the keytab.
	Services []string

	// RequireSeal refuses tokens without mutual authentication, integrity and
	// confidentiality, as WinRM over plain HTTP does.
	RequireSeal bool

	// ChannelBinding is the MD5 (16 bytes) over the gss_channel_bindings of the TLS
	// connection, the same value that NTLM carries; nil: not checked. An initiator
	// that sends none passes unless RequireChannelBinding is set, as with HTTP.sys'
	// levels Relaxed and Strict.
	ChannelBinding        []byte
	RequireChannelBinding bool

	// Replays is shared by all acceptors of a machine; nil means one of its own,
	// which sees no other connection.
	Replays *ReplayCache
	// Now is the machine's clock; nil means the system's.
	Now func() time.Time
}

// Acceptor runs one logon. It is used once and not safe for concurrent use.
type Acceptor struct {
	config  AcceptorConfig
	used    bool
	session *Session
}

// NewAcceptor prepares a logon. A broken keytab is the error of the first Next.
func NewAcceptor(c AcceptorConfig) *Acceptor {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Replays == nil {
		c.Replays = &ReplayCache{}
	}
	return &Acceptor{config: c}
}

// Context flags of RFC 4121 4.1.1.1 and, for DCE, MS-KILE 2.2.1.
const (
	flagMutual = 0x02
	flagConf   = 0x10
	flagInteg  = 0x20
	flagDCE    = 0x1000
)

// Next takes the initiator's token: an AP-REQ in a bare GSS frame, or that in a
// SPNEGO NegTokenInit, which is answered in kind. One token ends the logon with
// done, and out carries the AP-REP if the initiator asked for one.
//
// Errors are *[Error], *[TokenError], [ErrNotSealed] or [ErrBindings]. With an
// *[Error], out is a token that tells the initiator why, and may be sent. A second
// call always fails.
func (a *Acceptor) Next(token []byte) (out []byte, done bool, err error) {
	if a.used {
		return nil, false, badToken("out of order")
	}
	a.used = true
	keys, err := readKeytab(a.config.Keytab)
	if err != nil {
		return nil, false, err
	}
	raw, f, err := readInitial(token)
	if err != nil {
		return nil, false, err
	}
	now := a.config.Now()
	shown, no := openRequest(raw, keyusage.AP_REQ_AUTHENTICATOR, now, func(t *messages.Ticket) (types.EncryptionKey, *Error) {
		return a.serviceKey(keys, t)
	})
	if no != nil {
		return a.explain(f, no, now)
	}
	wanted, err := a.checkContext(shown)
	if bad := (*Error)(nil); errors.As(err, &bad) {
		return a.explain(f, bad, now)
	} else if err != nil {
		return nil, false, err
	}
	if !a.config.Replays.fresh(shown.proof, shown.auth.CTime, now) {
		return a.explain(f, refuse(errorcode.KRB_AP_ERR_REPEAT, ""), now)
	}
	if out, err = a.accept(f, shown, wanted); err != nil {
		return nil, false, err
	}
	return out, true, nil
}

// Session is the context that the logon made; it fails before done.
func (a *Acceptor) Session() (*Session, error) {
	if a.session == nil {
		return nil, errors.New("kerberos: session before the logon ended")
	}
	return a.session, nil
}

func (a *Acceptor) explain(f framing, no *Error, now time.Time) ([]byte, bool, error) {
	// The name is required in the message and says nothing an initiator does not know.
	m, err := no.message("", types.PrincipalName{}, now)
	if err != nil {
		return nil, false, no
	}
	out, err := f.write(idError, m)
	if err != nil {
		return nil, false, no
	}
	return out, false, no
}

func (a *Acceptor) serviceKey(keys []keytabKey, t *messages.Ticket) (types.EncryptionKey, *Error) {
	name := t.SName.PrincipalNameString()
	same := func(s string) bool { return strings.EqualFold(s, name) }
	if len(a.config.Services) > 0 && !slices.ContainsFunc(a.config.Services, same) {
		return types.EncryptionKey{}, refuse(errorcode.KRB_AP_ERR_NOT_US, name)
	}
	no := refuse(errorcode.KRB_AP_ERR_NOKEY, name)
	for _, k := range keys {
		if !same(k.name) || k.realm != t.Realm || k.key.KeyType != t.EncPart.EType {
			continue
		}
		if t.EncPart.KVNO == 0 || uint32(t.EncPart.KVNO) == k.kvno {
			return k.key, nil
		}
		no = refuse(errorcode.KRB_AP_ERR_BADKEYVER, fmt.Sprintf("%s, version %d", name, t.EncPart.KVNO))
	}
	return types.EncryptionKey{}, no
}

// checkContext reads the checksum of RFC 4121 4.1.1, where GSS carries its flags
// and the channel bindings.
func (a *Acceptor) checkContext(p *presented) (wanted uint32, err error) {
	sum := p.auth.Cksum.Checksum
	if p.auth.Cksum.CksumType != chksumtype.GSSAPI || len(sum) < 24 || binary.LittleEndian.Uint32(sum) != 16 {
		return 0, refuse(errorcode.KRB_AP_ERR_INAPP_CKSUM, "no GSS checksum")
	}
	bound, wanted := sum[4:20], binary.LittleEndian.Uint32(sum[20:])
	const sealing = flagMutual | flagConf | flagInteg
	mutual := p.options.At(flags.APOptionMutualRequired) != 0
	switch {
	case wanted&flagDCE != 0:
		return 0, badToken("the three-legged exchange of DCE")
	case mutual != (wanted&flagMutual != 0):
		return 0, badToken("AP-REQ and GSS flags differ about mutual authentication")
	case a.config.RequireSeal && wanted&sealing != sealing:
		return 0, ErrNotSealed
	}
	return wanted, a.checkBinding(bound)
}

func (a *Acceptor) checkBinding(bound []byte) error {
	switch {
	case a.config.ChannelBinding == nil && !a.config.RequireChannelBinding:
		return nil
	case !a.config.RequireChannelBinding && bytes.Equal(bound, make([]byte, len(bound))):
		return nil
	case !bytes.Equal(bound, a.config.ChannelBinding):
		return ErrBindings
	}
	return nil
}

// accept makes the session and the AP-REP. A key of ours is used from now on, so
// that both sides have a part in the session.
func (a *Acceptor) accept(f framing, p *presented, wanted uint32) ([]byte, error) {
	base := p.part.Key
	if len(p.auth.SubKey.KeyValue) > 0 {
		base = p.auth.SubKey
	}
	if err := checkKey(base); err != nil {
		return nil, &TokenError{Err: err}
	}
	s := &Session{
		principal: p.auth.CName.PrincipalNameString() + "@" + p.auth.CRealm, expires: p.part.EndTime,
		service: p.sname.PrincipalNameString(), flags: wanted, key: base,
		receive: uint64(uint32(p.auth.SeqNumber)),
	}
	if wanted&flagMutual == 0 {
		// Without an answer the initiator cannot know a key or a number of ours; both
		// sides then count from the initiator's number, as MIT does.
		s.send = s.receive
		a.session = s
		if !f.spnego {
			return nil, nil
		}
		return response(acceptCompleted, f.mech, nil)
	}
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("kerberos: sequence number: %w", err)
	}
	s.send = uint64(binary.BigEndian.Uint32(seed[:]) & 0x3fffffff)
	key, err := randomKey(base.KeyType)
	if err != nil {
		return nil, err
	}
	s.key, s.ours = key, true
	reply, err := apReply(p, key, int64(s.send))
	if err != nil {
		return nil, fmt.Errorf("kerberos: AP-REP: %w", err)
	}
	out, err := f.write(idReply, reply)
	if err == nil {
		a.session = s
	}
	return out, err
}

// apReply makes the AP-REP of RFC 4120 5.5.2, which proves that we could read the
// authenticator.
func apReply(p *presented, key types.EncryptionKey, seq int64) ([]byte, error) {
	part, err := asn1.Marshal(messages.EncAPRepPart{
		CTime: p.auth.CTime.UTC(), Cusec: p.auth.Cusec, Subkey: key, SequenceNumber: seq,
	})
	if err != nil {
		return nil, err
	}
	// The ticket's key, not the sub-session key: RFC 4120 3.2.4.
	sealed, err := seal(asn1tools.AddASNAppTag(part, asnAppTag.EncAPRepPart), p.part.Key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		return nil, err
	}
	rep, err := asn1.Marshal(messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	if err != nil {
		return nil, err
	}
	return asn1tools.AddASNAppTag(rep, asnAppTag.APREP), nil
}
