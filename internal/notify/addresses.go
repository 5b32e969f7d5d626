package notify

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxBytes bounds a list of addresses, maxAddresses how many there are.
	maxBytes     = 64 << 10
	maxAddresses = 32
)

// Read reads a list of addresses: one in a line; empty lines and those that begin with # are passed over. Errors name
// lines and nothing that stands in them.
func Read(r io.Reader) ([]string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the addresses: %w", err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("it is larger than %d bytes", maxBytes)
	}
	var out []string
	lines := bufio.NewScanner(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	lines.Buffer(nil, maxBytes+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := locate(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, line)
	}
	switch {
	case lines.Err() != nil:
		return nil, errors.New("it is no text of lines")
	case len(out) == 0:
		return nil, errors.New("it holds no address")
	case len(out) > maxAddresses:
		return nil, fmt.Errorf("it holds more than %d addresses", maxAddresses)
	}
	return out, nil
}
