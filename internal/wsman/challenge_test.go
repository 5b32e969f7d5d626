package wsman

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func FuzzChallenges(f *testing.F) {
	f.Add("Negotiate TlRMTVNTUA==", "Kerberos")
	f.Add("0", "000000000000000000000000\xb60")
	f.Add(`Basic realm="WSMAN"`, "kerberos \x1b[2J")
	f.Fuzz(func(t *testing.T, one, two string) {
		for _, rounds := range []bool{true, false} {
			token, offered, err := challenges([]string{one, two}, "Kerberos", rounds)
			if err != nil && token != nil || !rounds && token != nil {
				t.Fatalf("%q, %v", token, err)
			}
			for _, o := range offered {
				if len([]rune(o)) > 24 || strings.ContainsFunc(o, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Fatalf("%q can steer a terminal", o)
				}
			}
			if other := alternative([]string{"Kerberos", "Negotiate"}, "Kerberos", offered); other != "" && slices.Contains(offered, "Kerberos") {
				t.Fatal("a fallback although the scheme was offered")
			}
		}
	})
}
