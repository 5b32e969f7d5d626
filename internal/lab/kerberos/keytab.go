package kerberos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
	"golang.org/x/crypto/cryptobyte"
)

// Keytab gives the keys of users and services as a file that MIT's programs and
// [Acceptor] read (MIT's keytab format, version 5.2). A name that nobody has is an
// error.
func (k *KDC) Keytab(names ...string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := []byte{5, 2}
	for _, name := range names {
		a, ok := k.accounts[index(k.local(name))]
		if !ok {
			return nil, fmt.Errorf("kerberos: no account is named %s", name)
		}
		for _, key := range a.keys {
			entry, err := keytabEntry(k.config.Realm, a.spelled(k.local(name)), uint32(a.kvno), uint32(k.now().Unix()), key)
			if err != nil {
				return nil, fmt.Errorf("kerberos: keytab entry for %s: %w", name, err)
			}
			out = append(out, entry...)
		}
	}
	return out, nil
}

func (a *account) spelled(name string) string {
	for _, own := range a.names {
		if strings.EqualFold(own, name) {
			return own
		}
	}
	return name
}

func keytabEntry(realm, name string, kvno, stamp uint32, key types.EncryptionKey) ([]byte, error) {
	text := func(b *cryptobyte.Builder, s string) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
	}
	parts, kind := strings.Split(name, "/"), nametype.KRB_NT_PRINCIPAL
	if len(parts) > 1 {
		kind = nametype.KRB_NT_SRV_INST
	}
	var b cryptobyte.Builder
	b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(len(parts)))
		text(b, realm)
		for _, part := range parts {
			text(b, part)
		}
		b.AddUint32(uint32(kind))
		b.AddUint32(stamp)
		b.AddUint8(uint8(kvno))
		b.AddUint16(uint16(key.KeyType))
		text(b, string(key.KeyValue))
		b.AddUint32(kvno)
	})
	return b.Bytes()
}

// keytabKey is one entry of a keytab that was read.
type keytabKey struct {
	realm, name string
	kvno        uint32
	key         types.EncryptionKey
}

var errKeytab = errors.New("kerberos: not a keytab of version 5.2")

// readKeytab takes a keytab apart; entries with other encryption types are left out.
func readKeytab(b []byte) ([]keytabKey, error) {
	if len(b) < 2 || b[0] != 5 || b[1] != 2 {
		return nil, errKeytab
	}
	var keys []keytabKey
	for b = b[2:]; len(b) > 0; {
		if len(b) < 4 {
			return nil, errKeytab
		}
		size := int64(int32(binary.BigEndian.Uint32(b)))
		b = b[4:]
		hole := size < 0
		size = max(size, -size)
		if size == 0 || size > int64(len(b)) {
			return nil, errKeytab
		}
		if !hole {
			e, ok := readEntry(b[:size])
			if !ok {
				return nil, errKeytab
			}
			if checkKey(e.key) == nil {
				keys = append(keys, e)
			}
		}
		b = b[size:]
	}
	return keys, nil
}

func readEntry(b []byte) (e keytabKey, ok bool) {
	s := cryptobyte.String(b)
	text := func(out *string) bool {
		var part cryptobyte.String
		ok := s.ReadUint16LengthPrefixed(&part)
		*out = string(part)
		return ok
	}
	var count uint16
	if !s.ReadUint16(&count) || !text(&e.realm) || count > 16 {
		return e, false
	}
	parts := make([]string, count)
	for i := range parts {
		if !text(&parts[i]) {
			return e, false
		}
	}
	e.name = strings.Join(parts, "/")
	var kvno8 uint8
	var etype uint16
	var value string
	if !s.Skip(8) || !s.ReadUint8(&kvno8) || !s.ReadUint16(&etype) || !text(&value) { // 8: name type and time
		return e, false
	}
	e.kvno = uint32(kvno8)
	e.key = types.EncryptionKey{KeyType: int32(int16(etype)), KeyValue: []byte(value)}
	// A longer version number may follow; all zeros mean that there is none.
	if kvno := uint32(0); s.ReadUint32(&kvno) && kvno != 0 {
		e.kvno = kvno
	}
	return e, true
}
