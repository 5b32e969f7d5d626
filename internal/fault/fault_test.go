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
