package kerberos

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	opLogon  = "Kerberos logon"
	opTicket = "Kerberos service ticket"

	// askedLifetime and askedRenewal are what we ask for; the KDC's policy shortens them.
	askedLifetime = 24 * time.Hour
	askedRenewal  = 7 * 24 * time.Hour
	// minIterations and maxIterations bound the work for a key that a KDC can ask for (RFC 3962 allows 1 to 4 billion
	// rounds): the defaults are 4096 and 32768. Less would make a proof cheap to guess from (RFC 3962 section 8).
	minIterations = 4096
	maxIterations = 1 << 18
	allowedSkew   = 5 * time.Minute
)

// secret is a password or the keys of a keytab.
type secret struct {
	password string
	keys     map[int32]keytabEntry
}

// logon makes an AS exchange (RFC 4120 3.1): first without proof, so that the KDC says how the key is made, then
// with it, once, to one KDC.
func (c *Client) logon(ctx context.Context) (*ticket, error) {
	req := c.asRequest()
	reply, sent, err := c.askAS(ctx, req, false)
	key := types.EncryptionKey{}
	var k messages.KRBError
	if errors.As(err, &k) && k.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		var version int
		if key, version, err = c.keyFor(k.EData); err != nil {
			return nil, err
		}
		stamp, err := encryptedTime(key, version, c.now())
		if err != nil {
			return nil, &Error{Kind: Other, Err: err}
		}
		req = c.asRequest()
		req.PAData = append(req.PAData, stamp)
		reply, sent, err = c.askAS(ctx, req, true)
		if errors.As(err, &k) || KindOf(err) == Unreachable {
			return nil, c.asError(err)
		}
		var t *ticket
		if err == nil {
			t, err = c.readAS(reply, sent, req, key)
		}
		return t, withoutVerdict(err)
	}
	if err != nil {
		return nil, c.asError(err)
	}
	return c.readAS(reply, sent, req, key)
}

// withoutVerdict marks what went wrong after a proof that may have arrived, unless it says what became of it.
func withoutVerdict(err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) && e.Final() {
		return err
	}
	doubt := Error{Kind: NoAnswer, Err: err}
	if e != nil {
		doubt = *e
	}
	doubt.noVerdict = true
	return &doubt
}

func (c *Client) asError(err error) error {
	var k messages.KRBError
	if errors.As(err, &k) {
		return kdcError(k, c.now())
	}
	return err
}

// askAS sends req; sent is what left.
func (c *Client) askAS(ctx context.Context, req messages.ASReq, proof bool) (reply, sent []byte, err error) {
	if sent, err = req.Marshal(); err != nil {
		return nil, nil, &Error{Kind: Other, Err: err}
	}
	reply, err = c.kdcs.ask(ctx, c.who.realm, sent, proof)
	return reply, sent, err
}

func (c *Client) asRequest() messages.ASReq {
	body := c.requestBody(c.who.realm, ticketGranting(c.who.realm, c.who.realm).name)
	body.CName = c.who.name
	if c.enterprise {
		types.SetFlag(&body.KDCOptions, flags.Canonicalize)
	}
	return messages.ASReq{KDCReqFields: messages.KDCReqFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_AS_REQ, ReqBody: body,
		PAData: types.PADataSequence{{PADataType: patype.PA_REQ_ENC_PA_REP}},
	}}
}

// requestBody is what both exchanges ask for.
func (c *Client) requestBody(realm string, service types.PrincipalName) messages.KDCReqBody {
	now := c.now().UTC()
	body := messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(), Realm: realm, SName: service, Nonce: nonce(), EType: c.etypes,
		Till: now.Add(askedLifetime), RTime: now.Add(askedRenewal),
	}
	types.SetFlags(&body.KDCOptions, []int{flags.Renewable, flags.RenewableOK})
	return body
}

// nonce is a random positive 31-bit number.
func nonce() int {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	return int(binary.BigEndian.Uint32(b[:]) >> 1)
}

// encryptedTime proves the key (PA-ENC-TIMESTAMP, RFC 4120 5.2.7.2).
func encryptedTime(key types.EncryptionKey, version int, now time.Time) (types.PAData, error) {
	stamp, err := marshalTime(now)
	if err != nil {
		return types.PAData{}, err
	}
	sealed, err := crypto.GetEncryptedData(stamp, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, version)
	if err != nil {
		return types.PAData{}, err
	}
	value, err := sealed.Marshal()
	return types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}, err
}

// keyFor makes the key that the KDC's hints (METHOD-DATA of a KRB_ERROR, or an answer's padata) describe.
func (c *Client) keyFor(methodData []byte) (types.EncryptionKey, int, error) {
	var hints types.PADataSequence
	if err := contained(func() error { return hints.Unmarshal(methodData) }); err != nil {
		return types.EncryptionKey{}, 0, &Error{Kind: Unproven, Err: errors.New("the KDC's hints are malformed")}
	}
	return c.keyFrom(hints)
}

// keyFrom takes the first encryption type of ETYPE-INFO2 that is ours (RFC 4120 5.2.7.5). A KDC that offers only
// others is refused: our key is never used with RC4.
func (c *Client) keyFrom(hints types.PADataSequence) (types.EncryptionKey, int, error) {
	none := types.EncryptionKey{}
	var infos types.ETypeInfo2
	for _, h := range hints {
		if h.PADataType == patype.PA_ETYPE_INFO2 {
			if err := contained(func() error { return infos.Unmarshal(h.PADataValue) }); err != nil {
				return none, 0, &Error{Kind: Unproven, Err: errors.New("the KDC's ETYPE-INFO2 is malformed")}
			}
		}
	}
	var weak error = &Error{Kind: Weak, Err: errors.New("the KDC names no encryption type")}
	for _, info := range infos {
		if err := aesOnly(info.EType); err != nil || !slices.Contains(c.etypes, info.EType) {
			weak = &Error{Kind: Weak, Err: errors.New("the KDC offers " + etypeName(info.EType) + " for the account")}
			continue
		}
		if c.secret.keys != nil {
			if k, ok := c.secret.keys[info.EType]; ok {
				return k.key, int(k.version), nil
			}
			weak = &Error{Kind: BadSource, Err: errors.New("the keytab has no key of " + etypeName(info.EType))}
			continue
		}
		key, err := c.passwordKey(info)
		return key, 0, err
	}
	return none, 0, weak
}

func (c *Client) passwordKey(info types.ETypeInfo2Entry) (types.EncryptionKey, error) {
	key := types.EncryptionKey{KeyType: info.EType}
	et, err := crypto.GetEtype(info.EType)
	if err != nil {
		return key, &Error{Kind: Weak, Err: err}
	}
	parameters := et.GetDefaultStringToKeyParams()
	if len(info.S2KParams) > 0 {
		if n := len(info.S2KParams); n != 4 || binary.BigEndian.Uint32(info.S2KParams) < minIterations || binary.BigEndian.Uint32(info.S2KParams) > maxIterations {
			return key, &Error{Kind: Unproven, Err: errors.New("the KDC wants an absurd amount of work for the key")}
		}
		parameters = hex.EncodeToString(info.S2KParams)
	}
	salt := info.Salt
	if salt == "" {
		salt = c.who.name.GetSalt(c.who.realm)
	}
	key.KeyValue, err = et.StringToKey(c.secret.password, salt, parameters)
	if err != nil {
		return key, &Error{Kind: Other, Err: errors.New("the key cannot be made from the password")}
	}
	return key, nil
}

// readAS opens and checks an AS_REP (RFC 4120 3.1.5). key is empty when no proof was asked for.
func (c *Client) readAS(reply, sent []byte, req messages.ASReq, key types.EncryptionKey) (*ticket, error) {
	var rep messages.ASRep
	if err := contained(func() error { return rep.Unmarshal(reply) }); err != nil {
		return nil, unproven("the KDC's answer is malformed")
	}
	if len(key.KeyValue) == 0 || key.KeyType != rep.EncPart.EType {
		k, _, err := c.keyFrom(rep.PAData)
		if err != nil {
			return nil, err
		}
		key = k
	}
	if rep.EncPart.EType != key.KeyType {
		return nil, unproven("the KDC's answer is encrypted with another type than it said")
	}
	plain, err := decrypt(key, rep.EncPart.Cipher, keyusage.AS_REP_ENCPART)
	if err != nil {
		// With the encrypted time accepted the key was right, so this is no wrong password.
		if req.PAData.Contains(patype.PA_ENC_TIMESTAMP) {
			return nil, unproven("the KDC does not know the account's key")
		}
		return nil, &Error{Kind: Rejected, Err: errors.New("the KDC's answer does not open with it")}
	}
	part := &rep.DecryptedEncPart
	if err := contained(func() error { return part.Unmarshal(plain) }); err != nil {
		return nil, unproven("the KDC's answer is malformed inside")
	}
	us := principal{rep.CName, rep.CRealm}
	switch {
	case part.Nonce != req.ReqBody.Nonce:
		return nil, unproven("the KDC's answer is to another question")
	case !part.SName.Equal(req.ReqBody.SName) || part.SRealm != c.who.realm:
		return nil, unproven("the KDC's ticket is for another service")
	case !c.enterprise && !us.equal(c.who):
		return nil, unproven("the KDC's ticket is for another account")
	case c.enterprise && us.realm != c.who.realm:
		return nil, &Error{Kind: UnknownUser, Err: errors.New("the account belongs to realm " + printable(us.realm, 80))}
	}
	if off := part.AuthTime.Sub(c.now()); off > allowedSkew || off < -allowedSkew {
		return nil, &Error{Kind: ClockSkew, Err: skew(part.AuthTime, c.now())}
	}
	if err := checkEcho(part, sent, key); err != nil {
		return nil, err
	}
	return newTicket(us, rep.Ticket, part)
}

// checkEcho verifies the KDC's checksum over our request where it sends one (RFC 6806 section 11): nobody changed
// what we asked for on the way.
func checkEcho(part *messages.EncKDCRepPart, sent []byte, key types.EncryptionKey) error {
	if len(part.Flags.Bytes) < 4 || !types.IsFlagSet(&part.Flags, flags.EncPARep) {
		return nil
	}
	for _, pa := range part.EncPAData {
		if pa.PADataType != patype.PA_REQ_ENC_PA_REP {
			continue
		}
		var sum types.PAReqEncPARep
		if err := contained(func() error { return sum.Unmarshal(pa.PADataValue) }); err != nil {
			return unproven("the KDC's checksum is malformed")
		}
		et, err := aes(key)
		if err != nil {
			return err
		}
		if sum.ChksumType != et.GetHashID() || !et.VerifyChecksum(key.KeyValue, sent, sum.Chksum, keyusage.KEY_USAGE_AS_REQ) {
			return unproven("somebody changed our question to the KDC")
		}
		return nil
	}
	return unproven("the KDC's checksum over our question is missing")
}

// newTicket keeps what later exchanges need.
func newTicket(client principal, t messages.Ticket, part *messages.EncKDCRepPart) (*ticket, error) {
	out := &ticket{client: client, ticket: t, key: part.Key, start: part.StartTime, end: part.EndTime, renewTill: part.RenewTill}
	out.key.KeyValue = bytes.Clone(part.Key.KeyValue)
	if out.start.IsZero() {
		out.start = part.AuthTime
	}
	out.renewable = len(part.Flags.Bytes) >= 4 && types.IsFlagSet(&part.Flags, flags.Renewable)
	if _, err := aes(out.key); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, err
		}
		return nil, unproven(err.Error())
	}
	return out, nil
}

func unproven(why string) *Error { return &Error{Kind: Unproven, Err: errors.New(why)} }
