package kerberos

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/types"
)

// keytabEntry is one key of one account.
type keytabEntry struct {
	owner   principal
	version uint32
	key     types.EncryptionKey
}

// parseKeytab reads a keytab of version 2 (MIT krb5, "Keytab file format").
func parseKeytab(b []byte) ([]keytabEntry, error) {
	c := &cursor{rest: b}
	first, version := c.u8(), c.u8()
	if c.bad || first != 5 || version != 2 {
		return nil, errors.New("this is no keytab of version 2")
	}
	var entries []keytabEntry
	for len(c.rest) > 0 {
		size := int64(int32(c.u32()))
		if size < 0 { // a hole that a removed entry left
			c.take(int(-size))
		} else if record := c.take(int(size)); len(record) > 0 {
			e, err := parseKeytabEntry(record)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		if c.bad {
			return nil, errCut
		}
		if size == 0 {
			break // the rest of the file is padding
		}
	}
	return entries, nil
}

func parseKeytabEntry(record []byte) (keytabEntry, error) {
	var e keytabEntry
	c := &cursor{rest: record}
	n := c.u16()
	e.owner.realm = string(c.data16())
	if n > maxComponents {
		return e, errCut
	}
	for range n {
		e.owner.name.NameString = append(e.owner.name.NameString, string(c.data16()))
	}
	e.owner.name.NameType = int32(c.u32())
	c.u32() // when it was made
	e.version = uint32(c.u8())
	e.key.KeyType = int32(int16(c.u16()))
	e.key.KeyValue = c.data16()
	if c.bad {
		return e, errCut
	}
	if len(c.rest) >= 4 {
		if v := c.u32(); v != 0 {
			e.version = v
		}
	}
	return e, nil
}

// newestKeys are the keys of who, by encryption type, each with the highest version.
func newestKeys(entries []keytabEntry, who principal) (map[int32]keytabEntry, error) {
	keys := map[int32]keytabEntry{}
	var others []int32
	for _, e := range entries {
		if !e.owner.equal(who) {
			continue
		}
		if aesOnly(e.key.KeyType) != nil {
			others = append(others, e.key.KeyType)
			continue
		}
		if old, ok := keys[e.key.KeyType]; !ok || old.version < e.version {
			keys[e.key.KeyType] = e
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	if len(others) > 0 {
		slices.Sort(others)
		return nil, &Error{Kind: Weak, Err: fmt.Errorf("the keytab has only keys of %s for the account", etypeName(others[0]))}
	}
	return nil, errors.New("the keytab has no key for the account")
}
