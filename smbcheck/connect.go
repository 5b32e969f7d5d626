package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/cloudsoda/go-smb2"
)

// Options says how to connect. The zero value is port 445, 30 seconds, SMB 3.1.1 only.
type Options struct {
	// Port is the TCP port of the server; 0 is 445.
	Port int
	// Addr, as host:port, is where to connect instead of Location.Server and Port. The server is
	// still addressed by its name.
	Addr string
	// Timeout is how long to wait for the server without a sign of life; 0 is 30 seconds. Domain controllers that are
	// asked for a ticket have a time of their own (package kerberos).
	Timeout time.Duration
	// AllowOlder tries dialects before 3.1.1 if the server refuses that one. What they report is not
	// protected against a downgrade (Facts.DowngradeProtected).
	AllowOlder bool
}

const defaultTimeout = 30 * time.Second

func (o Options) addr(server string) string {
	if o.Addr != "" {
		return o.Addr
	}
	port := o.Port
	if port == 0 {
		port = 445
	}
	return net.JoinHostPort(server, strconv.Itoa(port))
}

// Connection is one signed-in connection to one share. Its calls may come from any goroutine and
// run one after the other.
type Connection struct {
	loc     Location
	cred    Credentials
	opt     Options
	timeout time.Duration
	tap     *tap
	session *smb2.Session
	share   *smb2.Share

	mu   sync.Mutex // one call at a time: the library's directory reader starves others of credits
	dead error      // why the connection is not used any more

	facts Facts // without traffic; fixed once Connect has returned
}

// Connect signs in to loc's server and opens loc's share, without touching the root folder yet. The
// connection is always signed. A credential is tried once: older dialects are tried only while no
// sign-in was begun. A ticket is fetched, and Kerberos or NTLM decided for, before anything is sent
// to the server. The error is a fault.Error; its cause is one of the Err values of this package.
func Connect(ctx context.Context, loc Location, cred Credentials, opt Options) (*Connection, error) {
	dialects := []Dialect{SMB311}
	if opt.AllowOlder {
		dialects = append(dialects, SMB302, SMB300, SMB210, SMB202)
	}
	var c *Connection
	var err error
	if either, ok := cred.(KerberosOrNTLM); ok {
		if cred, err = either.Choose(ctx, loc.Server); err != nil {
			return nil, err
		}
	}
	for _, d := range dialects {
		if c, err = open(ctx, loc, cred, opt, d); err == nil || !errors.Is(err, ErrDialect) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func open(ctx context.Context, loc Location, cred Credentials, opt Options, dialect Dialect) (*Connection, error) {
	who, err := cred.initiator(ctx, loc.Server)
	if err != nil {
		return nil, explain(fmt.Sprintf(`sign in to \\%s`, loc.Server), err)
	}
	op := fmt.Sprintf(`connect to \\%s at %s`, loc.Server, opt.addr(loc.Server))
	raw, err := dial(ctx, op, loc, opt)
	if err != nil {
		return nil, err
	}
	c := &Connection{loc: loc, cred: cred, opt: opt, timeout: opt.timeout(), tap: newTap(raw, dialect)}
	var key []byte
	err = c.call(ctx, op, func(ctx context.Context, _ func()) (err error) {
		key, err = c.signIn(ctx, who, dialect)
		return err
	})
	if err == nil {
		err = c.call(ctx, fmt.Sprintf(`open the share \\%s\%s`, loc.Server, loc.Share), func(ctx context.Context, _ func()) error {
			return c.mount(ctx, key)
		})
	}
	if err != nil {
		c.abandon(ErrClosed)
		return nil, err
	}
	return c, nil
}

// signIn negotiates exactly one dialect and signs in, then proves what was negotiated. It returns the
// session's key, which proves the share's answer too.
func (c *Connection) signIn(ctx context.Context, who initiator, dialect Dialect) (key []byte, err error) {
	d := smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true, SpecifiedDialect: uint16(dialect)},
		Initiator:  who,
	}
	session, err := d.DialConn(ctx, c.tap, c.loc.Server)
	rec := c.tap.handshake(false)
	if err != nil {
		return nil, c.whyNot(rec, dialect, who, err)
	}
	key = who.SessionKey()
	if c.facts, _, err = prove(rec, key); err != nil {
		return nil, err
	}
	c.session = session
	return key, nil
}

// whyNot finds the reason for a failed sign-in in what was recorded, where the library's own words
// do not tell.
func (c *Connection) whyNot(rec handshake, dialect Dialect, who initiator, err error) error {
	switch {
	case c.tap.refused() != nil || ctxEnded(err):
		return err
	case rec.negotiate == nil && statusOf(err) == statusNotSupported:
		return fmt.Errorf("%w: %s", ErrDialect, dialect)
	case rec.negotiate == nil && statusOf(err) == statusInvalidParameter:
		return fmt.Errorf("%w over SMB %s", ErrNegotiate, dialect)
	case rec.negotiate == nil && statusOf(err) == 0:
		return fmt.Errorf("%w: %w", ErrNotSMB, cause(err))
	case rec.negotiate == nil:
		return err
	}
	if rec.setup != nil {
		if flags, e := parseSetup(rec.setup); e == nil && flags&(sessionGuest|sessionNull) != 0 {
			return ErrGuest
		}
	}
	if t, ok := who.(*ticketInitiator); ok {
		if why := t.why(rec.setupStatus); why != nil {
			return why
		}
	}
	if s := rec.setupStatus; statusOf(err) == 0 && s != 0 && s != statusMoreProcessing {
		return &smb2.ResponseError{Code: s}
	}
	return err
}

func ctxEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// mount opens the share and proves what the server says about it.
func (c *Connection) mount(ctx context.Context, key []byte) error {
	share, err := c.session.WithContext(ctx).Mount(c.loc.Share)
	if err != nil {
		return err
	}
	rec := c.tap.handshake(true)
	facts, k, err := prove(rec, key)
	if err != nil {
		return err
	}
	if err := facts.proveShare(rec, k); err != nil {
		return err
	}
	if facts.EncryptData {
		c.tap.demandSeal()
	}
	c.share, c.facts = share, facts
	return nil
}

// Facts returns what is proven about the connection, and the traffic so far.
func (c *Connection) Facts() Facts {
	f := c.facts
	f.Sent, f.Received = c.tap.traffic()
	return f
}
