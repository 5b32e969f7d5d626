package kerberos

import (
	"context"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"

	"cau/internal/fault"
)

const (
	kdcPatience = 5 * time.Second
	// maxKDCReply is far above a ticket with the largest authorization data that Windows makes (64 KiB).
	maxKDCReply = 256 << 10
	maxKDCs     = 16
	kdcPort     = "88"
)

// directory finds and asks KDCs.
type directory struct {
	realm   string   // whose KDCs own are
	own     []string // as the user gave them
	conf    krb5conf
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	resolve func(ctx context.Context, realm string) ([]string, error)
	// patience is how long one KDC may take to be connected and to answer.
	patience time.Duration
}

// addresses are the KDCs of realm: the user's for the user's own realm, then krb5.conf's, then DNS.
func (d *directory) addresses(ctx context.Context, realm string) ([]string, error) {
	list := d.own
	if realm != d.realm || len(list) == 0 {
		list = d.conf.kdcs[realm]
	}
	var err error
	if len(list) == 0 && !d.conf.noDNS {
		list, err = d.resolve(ctx, realm)
	}
	if len(list) == 0 {
		if err == nil {
			err = errors.New("none is named")
		}
		return nil, fmt.Errorf("domain controllers of realm %s: %w", printable(realm, 80), err)
	}
	out := make([]string, 0, len(list))
	for _, a := range list[:min(len(list), maxKDCs)] {
		if _, _, err := net.SplitHostPort(a); err != nil {
			a = net.JoinHostPort(strings.Trim(a, "[]"), kdcPort)
		}
		out = append(out, a)
	}
	return out, nil
}

// serviceRecords asks DNS where a realm's KDCs are (RFC 4120 7.2.3.2), in their order of priority.
func serviceRecords(ctx context.Context, realm string) ([]string, error) {
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range records {
		out = append(out, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), fmt.Sprint(r.Port)))
	}
	return out, nil
}

// ask sends message to the realm's KDCs in turn until one answers. A KRB_ERROR comes back as messages.KRBError.
// With once set, a message that left whole is not sent to another KDC: it may already have counted (R02).
func (d *directory) ask(ctx context.Context, realm string, message []byte, once bool) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	finding, cancel := context.WithTimeout(ctx, d.patience)
	list, err := d.addresses(finding, realm)
	cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, &Error{Kind: Unreachable, Err: err}
	}
	var first error
	for _, address := range list {
		reply, sent, err := d.exchange(ctx, address, message)
		switch {
		case err != nil && ctx.Err() != nil && sent && once:
			return nil, &Error{Kind: NoAnswer, Err: fmt.Errorf("%s: %w", address, context.Cause(ctx))}
		case err != nil && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil:
			return reply, krbError(reply)
		case sent && once:
			return nil, &Error{Kind: NoAnswer, Err: fmt.Errorf("%s: %w", address, err)}
		case first == nil:
			first = fmt.Errorf("%s: %w", address, err)
		}
	}
	return nil, &Error{Kind: Unreachable, Err: first}
}

// exchange sends one message over TCP (RFC 4120 7.2.2). sent is false only if the KDC cannot have read it whole.
func (d *directory) exchange(ctx context.Context, address string, message []byte) (reply []byte, sent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	conn, err := d.dial(ctx, "tcp", address)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err = conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)); err != nil {
		return nil, false, err
	}
	var head [4]byte
	if _, err = io.ReadFull(conn, head[:]); err == nil {
		size := binary.BigEndian.Uint32(head[:])
		if size == 0 || size > maxKDCReply {
			return nil, true, errors.New("the answer has an impossible size")
		}
		reply = make([]byte, size)
		_, err = io.ReadFull(conn, reply)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return reply, true, err
}

// krbError is the KRB_ERROR that reply is, or nil.
func krbError(reply []byte) error {
	const application30 = 0x7e
	if len(reply) == 0 || reply[0] != application30 {
		return nil
	}
	var k messages.KRBError
	if err := contained(func() error { return k.Unmarshal(reply) }); err != nil {
		return &Error{Kind: Unproven, Err: errors.New("the error of a KDC is malformed")}
	}
	return k
}

// extendedStatus is the NTSTATUS in a KRB_ERROR's data (KERB-ERROR-DATA with KERB-EXT-ERROR, MS-KILE 2.2.1 and
// 2.2.2), or 0.
func extendedStatus(data []byte) fault.Code {
	const extended = 3
	var e struct {
		Type  int    `asn1:"explicit,tag:1"`
		Value []byte `asn1:"explicit,tag:2,optional"`
	}
	if len(data) > 4096 {
		return 0
	}
	if _, err := asn1.Unmarshal(data, &e); err != nil || e.Type != extended || len(e.Value) < 12 {
		return 0
	}
	return fault.Code(binary.LittleEndian.Uint32(e.Value))
}
