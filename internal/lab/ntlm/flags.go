package ntlm

// Negotiate flags, MS-NLMP 2.2.2.5.
const (
	flagUnicode      uint32 = 0x00000001
	flagOEM          uint32 = 0x00000002
	flagTarget       uint32 = 0x00000004
	flagSign         uint32 = 0x00000010
	flagSeal         uint32 = 0x00000020
	flagNTLM         uint32 = 0x00000200
	flagAnonymous    uint32 = 0x00000800
	flagAlwaysSign   uint32 = 0x00008000
	flagTargetDomain uint32 = 0x00010000
	flagTargetServer uint32 = 0x00020000
	flagExtended     uint32 = 0x00080000
	flagTargetInfo   uint32 = 0x00800000
	flagVersion      uint32 = 0x02000000
	flag128          uint32 = 0x20000000
	flagKeyExchange  uint32 = 0x40000000
	flag56           uint32 = 0x80000000
)

// echoed are the flags a challenge repeats when the client asked for them.
const echoed = flagUnicode | flagOEM | flagTarget | flagSign | flagSeal | flagNTLM | flagAlwaysSign |
	flagExtended | flagVersion | flag128 | flagKeyExchange | flag56

// required is what every client has to offer and to confirm.
const required = flagUnicode | flagSign | flagExtended | flag128 | flagKeyExchange

// missingFlags names, without their prefix NTLMSSP_NEGOTIATE_, the flags that are needed and not there.
func missingFlags(have, need uint32) []string {
	var names []string
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{flagUnicode, "UNICODE"},
		{flagSign, "SIGN"},
		{flagSeal, "SEAL"},
		{flagExtended, "EXTENDED_SESSIONSECURITY"},
		{flag128, "128"},
		{flagKeyExchange, "KEY_EXCH"},
	} {
		if need&f.bit != 0 && have&f.bit == 0 {
			names = append(names, f.name)
		}
	}
	return names
}
