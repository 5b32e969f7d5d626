package fault

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// codeIn is one code as a tool printed it: signed, unsigned, in hex, or sign-extended to 64 bits.
func codeIn(t *testing.T, text string) Code {
	t.Helper()
	if v, err := strconv.ParseInt(text, 0, 64); err == nil {
		return CodeOf(v)
	}
	v, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return CodeOf(int64(v)) // the low 32 bits are what counts
}

func TestR20_ACodeHasOneNameInEveryShapeThatWindowsPrintsItIn(t *testing.T) {
	for _, c := range []struct{ shapes, name string }{
		{"-2145124329 2149842967 0x80240017 0xFFFFFFFF80240017", "WU_E_NOT_APPLICABLE"},
		{"-2145124330 2149842966 0x80240016", "WU_E_INSTALL_NOT_ALLOWED"},
		{"2359302 0x00240006 0x240006", "WU_S_ALREADY_INSTALLED"},
		{"2359301", "WU_S_REBOOT_REQUIRED"},
		{"2359303", "WU_S_ALREADY_UNINSTALLED"},
		{"3010 0xBC2 0x00000BC2", "ERROR_SUCCESS_REBOOT_REQUIRED"},
		{"1641 0x669", "ERROR_SUCCESS_REBOOT_INITIATED"},
		{"-2147024891 2147942405 0x80070005", "E_ACCESSDENIED"},
		{"-2147023293 2147944003 0x80070643", "HRESULT(ERROR_INSTALL_FAILURE)"},
		{"-2147023781 0x8007045B", "HRESULT(ERROR_SHUTDOWN_IN_PROGRESS)"},
		{"0x80070422", "HRESULT(ERROR_SERVICE_DISABLED)"},
		{"0x800706BA", "HRESULT(RPC_S_SERVER_UNAVAILABLE)"},
		{"0x800706BE", "HRESULT(RPC_S_CALL_FAILED)"},
		{"0x80070020", "HRESULT(ERROR_SHARING_VIOLATION)"},
		{"0x800705B4", "HRESULT(ERROR_TIMEOUT)"},
		{"-2147018909 0x80071763", "HRESULT(ERROR_CLUSTER_SPACE_DEGRADED)"},
		{"0x8007174A", "HRESULT(ERROR_CLUSTER_NODE_DRAIN_IN_PROGRESS)"},
		{"0x80071392", "HRESULT(ERROR_OBJECT_ALREADY_EXISTS)"},
		{"0x800710E0 -2147020576", "HRESULT(ERROR_REQUEST_REFUSED)"},
		{"267009 0x41301", "SCHED_S_TASK_RUNNING"},
		{"267011 0x41303", "SCHED_S_TASK_HAS_NOT_RUN"},
		{"267014 0x41306", "SCHED_S_TASK_TERMINATED"},
		{"267045 0x41325", "SCHED_S_TASK_QUEUED"},
		{"2150858793 -2144108503 0x80338029", "ERROR_WSMAN_OPERATION_TIMEDOUT"},
		{"2150858843 0x8033805B", "ERROR_WSMAN_UNEXPECTED_SELECTORS"},
		{"2150859173 0x803381A5", "ERROR_WSMAN_QUOTA_MAX_SHELLS"},
		{"1190", "ERROR_SHUTDOWN_IS_SCHEDULED"},
		{"0x80073712", "HRESULT(ERROR_SXS_COMPONENT_STORE_CORRUPT)"},
		// 101 as an HRESULT, which a task of Windows Server 2012 may give: nothing is known, and nothing is made up.
		{"2147942501 0x80070065 101", ""},
		{"0 0x80070000", ""},
	} {
		for _, shape := range strings.Fields(c.shapes) {
			if got := codeIn(t, shape).Name(); got != c.name {
				t.Errorf("%s is %q, not %q", shape, got, c.name)
			}
		}
	}
}

// The tables of reference: what a node may answer must not be a bare number on the screen.
func TestEveryCodeThatUpdatingMeetsHasAName(t *testing.T) {
	for _, list := range []struct{ of, codes string }{
		{"cluster", "5042 5050 5051 5056 5058 5070 5072 5073 5908 5944 5959 5960 5962 5978 5980 5984 5985 5987 5988 1753 1722 5010"},
		{"update agent", `0x00240001 0x00240003 0x00240005 0x00240006 0x00240007 0x00240008 0x80240001 0x80240009 0x8024000A 0x8024000B 0x8024000C
			0x80240016 0x80240017 0x80240018 0x80240020 0x80240019 0x8024001B 0x8024001E 0x80240022 0x80240023 0x80240024 0x80240025 0x8024002E
			0x80240032 0x80240034 0x80240035 0x80240044 0x8024004A 0x80240062 0x80240438 0x80240440 0x80240FFF 0x80241001 0x80241003 0x80241004
			0x80242007 0x8024200B 0x80242014 0x80242015 0x80242016 0x80242017 0x8024201D 0x80243003 0x80244010 0x80244017 0x80244018 0x80244019
			0x8024401A 0x8024401B 0x8024401C 0x8024401D 0x8024401E 0x8024401F 0x80244020 0x80244021 0x80244022 0x80244023 0x8024402C 0x80246007
			0x80246008 0x80248007 0x8024800C 0x80248014 0x8024A000 0x8024A007 0x8024D00C 0x8024D00D 0x8024D00E 0x8024D00F 0x80070005 0x8007045B
			0x80070643 0x80070422 0x800706BA 0x800706BE 0x80070020 0x80070070 0x80070002 0x80070003 0x800705B4 0x80072EE2 0x80072EE7 0x80072EFD
			0x80072F8F 0x80073712 0x80073701 0x800F081F 0x800F081E 0x800F0823 0x800F0831 0x800F0922 0x800F0986 0x800F0988`},
		{"installers", `3010 1641 2359301 2359302 2359303 -2145124329 -2145124330 1058 5 161 1602 1603 1604 1605 1612 1618 1619 1620 1633 1635 1636 1637
			1638 1642 1646 1648 1649 3017 3018 350 351 352`},
		{"WinRM", "2150858793 2150858843 0x80338026 0x800700CE"},
		{"restart", "1115 1116 1190"},
		{"tasks", "0x41300 0x41301 0x41303 0x41306 0x41325 0x800710E0"},
	} {
		for _, text := range strings.Fields(list.codes) {
			if c := codeIn(t, text); c.Name() == "" || c.Meaning() == "" {
				t.Errorf("%s: %s has name %q, meaning %q", list.of, text, c.Name(), c.Meaning())
			}
		}
	}
}

func TestTheTablesAreWholeAndAgree(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Z0-9_]+$|^HRESULT\([A-Z][A-Z0-9_]+\)$`)
	seen := map[Code]string{}
	for _, table := range tables {
		for c, k := range table {
			if first, twice := seen[c]; twice {
				t.Errorf("%s is %s and %s", c.Hex(), first, k.name)
			}
			seen[c] = k.name
			if !name.MatchString(k.name) {
				t.Errorf("%s: name %q", c.Hex(), k.name)
			}
			if strings.Count(k.meaning, ".") != 1 || !strings.HasSuffix(k.meaning, ".") {
				t.Errorf("%s: not one sentence: %q", c.Hex(), k.meaning)
			}
			for _, text := range []string{k.meaning, k.advice} {
				if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
					t.Errorf("%s: not printable ASCII: %q", c.Hex(), text)
				}
			}
		}
	}
}

func FuzzACodeIsNeverMadeUp(f *testing.F) {
	for _, v := range []int64{5, -2145124329, 0x80070643, 0x80070065, 1 << 40} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v int64) {
		c := CodeOf(v)
		if uint32(v&0xffffffff) != uint32(c) {
			t.Fatal("another number")
		}
		if (c.Name() == "") != (c.Meaning() == "") || c.Name() == "" && c.Advice() != "" {
			t.Errorf("%s: %q %q %q", c.Hex(), c.Name(), c.Meaning(), c.Advice())
		}
	})
}
