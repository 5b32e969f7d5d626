package wsman

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vectors are MS-NLMP 4.2.1 (common values) and 4.2.4 (NTLMv2 authentication).
func TestNTLMv2MatchesTheSpecification(t *testing.T) {
	same := func(what string, got []byte, want string) {
		t.Helper()
		if !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("%s is %x, want %s", what, got, want)
		}
	}
	key := ntowfv2("User", "Domain", "Password")
	same("4.2.4.1.1 NTOWFv2", key, "0c868a403bfd7a93a3001ef22ef02e3f")

	var server, client [8]byte
	copy(server[:], unhex(t, "0123456789abcdef"))
	copy(client[:], bytes.Repeat([]byte{0xaa}, 8))
	pairs := []avPair{{avDomainName, utf16le("Domain")}, {avComputerName, utf16le("Server")}}
	info := appendPairs(nil, pairs)
	same("target information", info, "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000")
	response, base := ntlmv2Response(key, server, client, 0, info)
	same("4.2.4.2.2 NT proof", response[:16], "68cd0ab851e51c96aabc927bebef6a1c")
	same("4.2.4.1.3 temp", response[16:44], "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000")
	same("4.2.4.1.2 session base key", base, "8de40ccadbc14a82f15cb0ad0de95ca3")

	session := bytes.Repeat([]byte{0x55}, 16)
	same("4.2.4.2.3 encrypted session key", rc4Once(base, session), "c5dad2544fc9799094ce1ce90bc9d03e")

	s := newNTLMSealer(session, ntlmClientSide)
	same("4.2.4.4 sign key", s.out.sign, "4788dc861b4782f35d43fd98fe1a2d39")
	header, sealed, err := s.Wrap(utf16le("Plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	same("4.2.4.4 sealed text", sealed, "54e50165bf1936dc996020c1811b0f06fb5f")
	same("4.2.4.4 signature", header, "010000007fb38ec5c55d497600000000")
}

// strongChallenge is a well-formed challenge with the given attributes.
func strongChallenge(pairs ...avPair) []byte {
	info := appendPairs(nil, pairs)
	b := make([]byte, 56)
	copy(b, ntlmSignature)
	binary.LittleEndian.PutUint32(b[8:], 2)
	binary.LittleEndian.PutUint32(b[20:], ntlmWanted)
	copy(b[24:], "noncesrv")
	binary.LittleEndian.PutUint16(b[40:], uint16(len(info)))
	binary.LittleEndian.PutUint16(b[42:], uint16(len(info)))
	binary.LittleEndian.PutUint32(b[44:], 56)
	return append(b, info...)
}

func TestTheNegotiateMessageNamesNobody(t *testing.T) {
	b := ntlmNegotiate()
	if len(b) != 40 || !bytes.Equal(b[16:32], make([]byte, 16)) {
		t.Fatalf("%x", b)
	}
}

func TestTheAnswerDropsWhatOnlyAClientMaySay(t *testing.T) {
	c, err := parseChallenge(strongChallenge(
		avPair{avDomainName, utf16le("CONTOSO")}, avPair{avTargetName, utf16le("HTTP/evil")},
		avPair{avChannelBindings, make([]byte, 16)}, avPair{avFlags, []byte{1, 0, 0, 0}}))
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint16][][]byte{}
	for _, p := range c.answerPairs(Peer{Host: "node1"}) {
		got[p.id] = append(got[p.id], p.value)
	}
	if len(got[avTargetName]) != 1 || !bytes.Equal(got[avTargetName][0], utf16le("HTTP/node1")) || got[avChannelBindings] != nil {
		t.Fatalf("%v", got)
	}
	if len(got[avFlags]) != 1 || got[avFlags][0][0] != 3 {
		t.Fatalf("flags %v: the peer's and the MIC's", got[avFlags])
	}
}

func TestTheProofUsesThePeersClockWhenItTellsIt(t *testing.T) {
	h := &ntlmHandshake{account: &ntlmAccount{user: "u", key: hide(string(make([]byte, 16)))}}
	if _, proof, err := h.Next(t.Context(), nil); err != nil || proof {
		t.Fatal(proof, err)
	}
	msg, proof, err := h.Next(t.Context(), strongChallenge(avPair{avTimestamp, []byte("PEERTIME")}))
	if err != nil || !proof || !bytes.Contains(msg, []byte("\x01\x01\x00\x00\x00\x00\x00\x00PEERTIME")) {
		t.Fatalf("%q %v %v", msg, proof, err)
	}
	if _, _, err := h.Next(t.Context(), strongChallenge()); err == nil {
		t.Fatal("a second challenge was answered")
	}
}

func TestMalformedChallengesAreRefused(t *testing.T) {
	good := strongChallenge(avPair{avDomainName, utf16le("CONTOSO")})
	if _, err := parseChallenge(good); err != nil {
		t.Fatal(err)
	}
	change := func(at int, with ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], with)
		return b
	}
	for name, b := range map[string][]byte{
		"empty":                     nil,
		"cut":                       good[:47],
		"another signature":         change(0, 'X'),
		"type 3":                    change(8, 3),
		"info behind the end":       change(44, 0xff),
		"info at 4 GiB":             change(44, 0xff, 0xff, 0xff, 0xff),
		"info in the fixed part":    change(44, 8),
		"info longer than the rest": change(40, 0xff),
		"info without an end":       change(40, byte(len(good)-56-4)),
		"an attribute too long":     change(58, 0xff),
		"too large":                 append(bytes.Clone(good), make([]byte, 1<<16)...),
	} {
		if c, err := parseChallenge(b); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
	for bit := range 32 {
		flags := uint32(ntlmWanted) &^ (1 << bit)
		b := change(20, binary.LittleEndian.AppendUint32(nil, flags)...)
		_, err := parseChallenge(b)
		if needed := ntlmRequired&(1<<bit) != 0; needed != (err != nil) {
			t.Errorf("without flag %d: %v", bit, err)
		}
	}
}

func TestWhatOneSideSealsTheOtherOpensInOrderOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		client, server := newNTLMSealer(key, ntlmClientSide), newNTLMSealer(key, ntlmServerSide)
		messages := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 5).Draw(t, "messages")
		for _, m := range messages {
			body, err := sealBody(client, m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := openBody(server, body)
			if err != nil || !bytes.Equal(got, m) {
				t.Fatalf("%x came back as %x, %v", m, got, err)
			}
			header, sealed, _ := server.Wrap(m)
			header[rapid.IntRange(4, 15).Draw(t, "at")] ^= 1
			if _, err := client.Unwrap(header, sealed); err == nil {
				t.Fatal("a changed signature was accepted")
			}
		}
		if _, err := client.Unwrap(nil, nil); err == nil {
			t.Fatal("no signature at all was accepted")
		}
	})
}

func FuzzChallenge(f *testing.F) {
	f.Add(strongChallenge(avPair{avDomainName, utf16le("CONTOSO")}, avPair{avTimestamp, make([]byte, 8)}))
	f.Add(strongChallenge())
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &ntlmHandshake{account: &ntlmAccount{user: "u", domain: "d", key: hide(string(make([]byte, 16)))}, negotiate: ntlmNegotiate()}
		msg, proof, err := h.Next(t.Context(), b)
		if (err == nil) != proof || (err == nil) != (len(msg) > 88) {
			t.Fatalf("%d bytes, proof %v, %v", len(msg), proof, err)
		}
		if err == nil && h.session.Computer != printable(h.session.Computer, 64) {
			t.Fatalf("unprintable name %q", h.session.Computer)
		}
	})
}
