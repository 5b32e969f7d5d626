package model

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// updateMark begins an update file that says itself how its installation goes:
//
//	cau-lab-update
//	id=KB5000001
//	exit=3010
//	seconds=20
//	requires=KB5000000,KB4999999
//	signature=valid | unsigned | mismatch | untrusted
//
// A file without it is an update of its kind: .msu ends with 3010, everything else with 0, after 20 s;
// .msu, .msi and .msp are signed, everything else is not.
const updateMark = "cau-lab-update"

const (
	installTime    = 20 * time.Second
	maxInstallTime = 24 * time.Hour
)

// updateFile is what installing a file does.
type updateFile struct {
	id       string
	exit     int64
	takes    time.Duration
	requires []string
	// signature is a SignatureStatus.
	signature int
}

func readUpdate(f file) *updateFile {
	u := &updateFile{id: key(baseName(f.path)), takes: installTime, signature: signatureOf(f.path)}
	if strings.HasSuffix(key(f.path), ".msu") {
		u.exit = successRestart
	}
	head, found := bytes.CutPrefix(bytes.TrimPrefix(f.head, []byte("\xEF\xBB\xBF")), []byte(updateMark))
	if !found {
		return u
	}
	for _, line := range strings.Split(string(head), "\n") {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch name {
		case "id":
			if value != "" {
				u.id = key(value)
			}
		case "exit":
			if code, err := strconv.ParseInt(value, 0, 64); err == nil && code == int64(int32(code)) || err == nil && code == int64(uint32(code)) {
				u.exit = code
			}
		case "seconds":
			if s, err := strconv.ParseFloat(value, 64); err == nil && s >= 0 && s <= maxInstallTime.Seconds() {
				u.takes = time.Duration(s * float64(time.Second))
			}
		case "signature":
			if status, ok := readSignature(value); ok {
				u.signature = status
			}
		case "requires":
			for _, id := range strings.Split(value, ",") {
				if id = strings.TrimSpace(id); id != "" {
					u.requires = append(u.requires, key(id))
				}
			}
		}
	}
	return u
}
