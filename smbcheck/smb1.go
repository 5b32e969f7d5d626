package smbcheck

// The part of SMB 1 that it takes to see whether a server still speaks it (MS-CIFS 2.2.3.1 and 2.2.4.52).
const (
	smb1Header    = 32
	smb1Negotiate = 0x72
	smb1Reply     = 0x80
	// smb1Least is the shortest answer: header, count of words, one word, count of bytes.
	smb1Least = smb1Header + 1 + 2 + 2
)

// smb1Request offers NT LM 0.12 and nothing else, so that a server which speaks SMB 2 cannot answer with that.
func smb1Request() []byte {
	m := make([]byte, smb1Header, 64)
	copy(m, "\xFFSMB")
	m[4] = smb1Negotiate
	m[9] = 0x18                  // canonical, case-insensitive paths
	le.PutUint16(m[10:], 0xC801) // Unicode, NTSTATUS, extended security, long names
	const dialect = "\x02NT LM 0.12\x00"
	m = append(m, 0) // no words
	m = le.AppendUint16(m, uint16(len(dialect)))
	return append(m, dialect...)
}

// isSMB1 tells a message of SMB 1.
func isSMB1(m []byte) bool { return len(m) >= 4 && string(m[:4]) == "\xFFSMB" }

// takesSMB1 tells whether an answer takes the first offered dialect.
func takesSMB1(m []byte) bool {
	return len(m) >= smb1Least && isSMB1(m) && m[4] == smb1Negotiate && le.Uint32(m[5:]) == 0 && m[9]&smb1Reply != 0 &&
		m[smb1Header] > 0 && le.Uint16(m[smb1Header+1:]) == 0
}
