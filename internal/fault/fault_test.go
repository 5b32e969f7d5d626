package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"cau/internal/fault"
)

func TestR20_CodesAreTheSame32BitsHoweverTheyArePrinted(t *testing.T) {
	for _, v := range []int64{-2145124329, 0x80240017, 2149842967} {
		c := fault.CodeOf(v)
		if c.Hex() != "0x80240017" || c.Name() != "WU_E_NOT_APPLICABLE" || c.Int32() != -2145124329 {
			t.Errorf("CodeOf(%d) = %s %s %d", v, c.Hex(), c.Name(), c.Int32())
		}
	}
}

func TestHintPrefersTheExplicitOneOverTheCodesAdvice(t *testing.T) {
	inner := &fault.Error{Op: "copy", Code: 112, Err: errors.New("no space")}
	outer := fmt.Errorf("stage: %w", &fault.Error{Op: "stage", Node: "NODE1", Err: inner})
	if got := fault.Hint(outer); got != "Free space on the node's system drive." {
		t.Errorf("advice of the code: %q", got)
	}
	inner.Hint = "Empty C:."
	if got := fault.Hint(outer); got != "Empty C:." {
		t.Errorf("explicit hint: %q", got)
	}
	if fault.Hint(errors.New("plain")) != "" {
		t.Error("a plain error has no hint")
	}
}

func TestR30_ACauseKeepsNodeOperationCodeAndAdvice(t *testing.T) {
	c := fault.CauseOf(&fault.Error{Op: "stage Update1.msu", Node: "NODE2", Code: 5, Err: errors.New("cannot read the share")})
	if c.Node != "NODE2" || c.Op != "stage Update1.msu" || c.Code != "0x00000005" || c.Name != "ERROR_ACCESS_DENIED" || c.Hint == "" {
		t.Errorf("%+v", c)
	}
	if fault.CauseOf(nil) != nil {
		t.Error("no error, no cause")
	}
}

func TestR30_ACauseIsTheOutermostStepWithTheFirstCodeBelowIt(t *testing.T) {
	inner := fmt.Errorf("asked twice: %w", &fault.Error{Op: "pause", Node: "NODE2", Err: &fault.Error{Op: "call", Code: 5987, Err: errors.New("degraded")}})
	c := fault.CauseOf(&fault.Error{Op: "drain", Node: "NODE2", Err: inner})
	if c.Op != "drain" || c.Code != "0x00001763" || c.Name != "ERROR_CLUSTER_SPACE_DEGRADED" {
		t.Errorf("%+v", c)
	}
	if plain := fault.CauseOf(&fault.Error{Op: "drain", Err: errors.New("no")}); plain.Code != "" {
		t.Errorf("%+v", plain)
	}
}

func TestAnErrorNamesItsNodeOnceAndAnotherNodeToo(t *testing.T) {
	read := func(node string) error {
		return fmt.Errorf("not proven: %w", &fault.Error{Op: "read the boot identity", Node: node, Err: errors.New("refused")})
	}
	for _, c := range []struct{ outer, inner, want string }{
		{"NODE2", "NODE2", "NODE2: restart: not proven: read the boot identity: refused"},
		{"NODE2", "NODE1", "NODE2: restart: not proven: NODE1: read the boot identity: refused"},
		{"NODE2", "", "NODE2: restart: not proven: read the boot identity: refused"},
		{"", "NODE1", "restart: not proven: NODE1: read the boot identity: refused"},
	} {
		if got := (&fault.Error{Op: "restart", Node: c.outer, Err: read(c.inner)}).Error(); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}
