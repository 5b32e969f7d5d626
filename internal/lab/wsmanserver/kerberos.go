package wsmanserver

import "time"

// Channel is what a Kerberos handshake has to know about the connection that it belongs to.
type Channel struct {
	// Binding is the hash of the TLS channel (16 bytes, RFC 4121 4.1.1.2), nil on plain HTTP and where it is
	// not looked at. What a client sends must equal it; Require refuses one that sends none.
	Binding []byte
	Require bool
	// Seal refuses clients that do not ask for confidentiality.
	Seal bool
}

// Handshake is the accepting side of one Kerberos handshake.
type Handshake interface {
	// Next takes the client's token, bare or in SPNEGO, and gives the answer, which goes out also when done.
	Next(token []byte) (out []byte, done bool, err error)
	// Session fails before done.
	Session() (Session, error)
}

// Session is an established Kerberos context.
type Session interface {
	// Principal is user@REALM.
	Principal() string
	// Expires is when the ticket ends, and with it the session.
	Expires() time.Time
	Wrap(plain []byte) (header, sealed []byte, err error)
	Unwrap(header, sealed []byte) ([]byte, error)
}
