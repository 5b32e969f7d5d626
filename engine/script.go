package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// MaxScriptBytes bounds a pre- or post-update script.
const MaxScriptBytes = 512 << 10

// Script is a script as it was when the plan was made: what is pinned is what runs (R09).
type Script struct {
	// Name is the file's name without its folder.
	Name string `json:"name"`
	// SHA256 is in lower-case hex.
	SHA256 string `json:"sha256"`
	// Text is the whole file; it is in the plan, so that the file is never read again.
	Text []byte `json:"text"`
}

// pinScript is the script that the option names, nil when it names none. text is the file as it was read.
func pinScript(option, path string, text []byte) (*Script, error) {
	switch {
	case path == "" && len(text) > 0:
		return nil, OptionError{option, "names no file, but a script was read for it"}
	case path == "":
		return nil, nil
	case len(text) == 0:
		return nil, OptionError{option, "names a file that is empty or was not read"}
	case len(text) > MaxScriptBytes:
		return nil, OptionError{option, fmt.Sprintf("names a file of %d bytes; a script has at most %d", len(text), MaxScriptBytes)}
	}
	sum := sha256.Sum256(text)
	return &Script{Name: path[strings.LastIndexAny(path, `/\`)+1:], SHA256: hex.EncodeToString(sum[:]), Text: text}, nil
}
