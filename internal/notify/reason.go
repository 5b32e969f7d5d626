package notify

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
)

// Error is why a service did not take a message: the service's kind and a reason in our own words (R04).
type Error struct{ Service, Reason string }

// Error says both.
func (e *Error) Error() string { return e.Service + ": " + e.Reason }

var (
	errTimeout = errors.New("it did not answer in time")
	errBusy    = errors.New("it still has not answered to the message before")
	errPanic   = errors.New("the library failed while sending")
)

// phrases are parts of what the Go library and shoutrrr say, and what we say instead. The first that fits is taken.
func phrases() [][2]string {
	return [][2]string{
		{"connection refused", "the connection was refused"},
		{"no such host", "its name is not known"},
		{"server misbehaving", "its name could not be looked up"},
		{"network is unreachable", "its network cannot be reached"},
		{"no route to host", "its host cannot be reached"},
		{"x509:", "its certificate is not trusted"},
		{"tls:", "the TLS connection failed"},
		{"server does not support StartTLS", "it does not offer STARTTLS"},
		{"unencrypted connection", "it would get a password over a connection that is not encrypted, so none was sent"},
		{"connection reset", "it closed the connection"},
		{"broken pipe", "it closed the connection"},
		{"deadline exceeded", errTimeout.Error()},
		{"timed out", errTimeout.Error()},
		{"i/o timeout", errTimeout.Error()},
		{"Client.Timeout", errTimeout.Error()},
		{"EOF", "it closed the connection"},
	}
}

var httpStatus = regexp.MustCompile(`\b([3-5]\d\d) ([A-Z][A-Za-z' -]+)`)

// reason is err in our own words. Nothing of its text is passed on but numbers that are known to be a status.
func reason(err error) string {
	for _, own := range []error{errTimeout, errBusy, errPanic} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	var mail *textproto.Error
	if errors.As(err, &mail) && mail.Code >= 400 && mail.Code < 600 {
		return fmt.Sprintf("it answered %d", mail.Code)
	}
	text := err.Error()
	for _, p := range phrases() {
		if strings.Contains(text, p[0]) {
			return p[1]
		}
	}
	for _, m := range httpStatus.FindAllStringSubmatch(text, -1) {
		code, _ := strconv.Atoi(m[1])
		if known := http.StatusText(code); known != "" && strings.HasPrefix(m[2], known) {
			return fmt.Sprintf("it answered %d %s", code, known)
		}
	}
	return "it did not take the message"
}
