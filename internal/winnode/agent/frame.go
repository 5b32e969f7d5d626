package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A frame on standard output is one line of ASCII:
//
//	#cau-frame:1:<bytes of JSON>:<SHA-256 of JSON>:<base64 of JSON>:end#
//
// Everything around it is noise: profiles, drivers and policies print what they like.
const (
	frameStart = "#cau-frame:1:"
	frameEnd   = ":end#"
)

// MaxFrame is the largest JSON in a frame, in bytes.
const MaxFrame = 4 << 20

// ErrNoFrame says that the output holds no frame.
var ErrNoFrame = errors.New("the node's output holds no answer")

// ErrBadFrame says that the output holds a frame that is cut or changed.
var ErrBadFrame = errors.New("the node's answer is cut or changed")

// EncodeFrame is the frame of r, with line ends around it, as the scripts write it.
func EncodeFrame(r Response) []byte {
	text, err := json.Marshal(r)
	if err != nil { // Data that is no JSON
		text, _ = json.Marshal(Response{V: Version, Host: r.Host, UTC: r.UTC, Err: &OpError{Kind: "script", Message: err.Error()}}) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return fmt.Appendf(nil, "\r\n%s%d:%s:%s%s\r\n", frameStart, len(text), hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(text), frameEnd)
}

// ParseFrame finds the answer in a command's standard output: the first frame whose length and hash are
// right. The error is ErrNoFrame or wraps ErrBadFrame.
func ParseFrame(stdout []byte) (Response, error) {
	first := ErrNoFrame
	for {
		i := bytes.Index(stdout, []byte(frameStart))
		if i < 0 {
			return Response{}, first
		}
		stdout = stdout[i+len(frameStart):]
		r, err := parseFrameBody(stdout)
		if err == nil {
			return r, nil
		}
		if errors.Is(first, ErrNoFrame) {
			first = fmt.Errorf("%w: %w", ErrBadFrame, err)
		}
	}
}

// parseFrameBody reads what follows frameStart.
func parseFrameBody(b []byte) (Response, error) {
	length, b, ok := cutField(b, 10)
	if !ok {
		return Response{}, errors.New("no length")
	}
	n, err := strconv.ParseUint(length, 10, 31)
	if err != nil || n > MaxFrame {
		return Response{}, fmt.Errorf("length %q", length)
	}
	want, b, ok := cutField(b, 2*sha256.Size)
	if !ok || len(want) != 2*sha256.Size {
		return Response{}, errors.New("no hash")
	}
	encoded := base64.StdEncoding.EncodedLen(int(n))
	if len(b) < encoded+len(frameEnd) {
		return Response{}, errors.New("the end is missing")
	}
	if !bytes.HasPrefix(b[encoded:], []byte(frameEnd)) {
		return Response{}, errors.New("the end is not where the length says")
	}
	text, err := base64.StdEncoding.Strict().DecodeString(string(b[:encoded]))
	if err != nil {
		return Response{}, fmt.Errorf("base64: %w", err)
	}
	if sum := sha256.Sum256(text); len(text) != int(n) || hex.EncodeToString(sum[:]) != want {
		return Response{}, errors.New("the hash does not match")
	}
	var r Response
	if err := json.Unmarshal(text, &r); err != nil {
		return Response{}, fmt.Errorf("JSON: %w", err)
	}
	if r.V != Version {
		return Response{}, fmt.Errorf("version %d", r.V)
	}
	if r.OK == (r.Err != nil) {
		return Response{}, errors.New("neither a result nor an error")
	}
	return r, nil
}

// cutField takes the characters up to the next colon, at most limit of them.
func cutField(b []byte, limit int) (field string, rest []byte, ok bool) {
	i := bytes.IndexByte(b[:min(len(b), limit+1)], ':')
	if i < 0 {
		return "", nil, false
	}
	return string(b[:i]), b[i+1:], true
}
