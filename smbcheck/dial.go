package smbcheck

import (
	"context"
	"fmt"
	"net"
	"time"

	"cau/internal/fault"
)

func (o Options) timeout() time.Duration {
	if o.Timeout <= 0 {
		return defaultTimeout
	}
	return o.Timeout
}

// dial opens a TCP connection to loc's server. op is what it is for. The error is a fault.Error.
func dial(ctx context.Context, op string, loc Location, opt Options) (net.Conn, error) {
	dialer := net.Dialer{Timeout: opt.timeout()}
	raw, err := dialer.DialContext(ctx, "tcp", opt.addr(loc.Server))
	switch {
	case err == nil:
		return raw, nil
	case ctx.Err() != nil:
		return nil, explain(op, context.Cause(ctx))
	}
	const badNetPath = 53 // ERROR_BAD_NETPATH
	return nil, &fault.Error{
		Op: op, Code: badNetPath, Err: fmt.Errorf("%w: %s", ErrUnreachable, whyUnreachable(err)), Hint: hintFor(ErrUnreachable),
	}
}
