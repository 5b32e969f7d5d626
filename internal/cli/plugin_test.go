package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAQueryIsShownInBothFormsOrItsMistakeWithACaretUnderIt(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "isinstalled = 0 and Type='software'")
	if code != ExitOK || !strings.Contains(out, "IsInstalled=0 and Type='Software'\n") || !strings.Contains(out, "Type=''Software''") || errOut != "" {
		t.Errorf("%d %s%s", code, out, errOut)
	}
	code, out, errOut = do(&fake{}, "plugin", "query", "IsInstalled=0 and Colour='red'")
	caret := "  IsInstalled=0 and Colour='red'\n" + strings.Repeat(" ", 2+18) + "^\n"
	if code != ExitUsage || out != "" || !strings.Contains(errOut, "column 19") || !strings.Contains(errOut, caret) || !strings.Contains(errOut, "Allowed there: ") {
		t.Errorf("%d %s%s", code, out, errOut)
	}
}

func TestAQuerysMistakeIsJSONWithItsColumn(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "IsInstalled=7", "--json")
	var got queryAnswer
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, out)
	}
	if code != ExitUsage || errOut != "" || got.Query != "" || got.Error == nil || got.Error.Column != 13 || got.Error.Allowed == "" {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	code, out, _ = do(&fake{}, "plugin", "query", "Type=''Driver''", "--json")
	if code != ExitOK || out != `{"query":"Type='Driver'","self_updating":"Type=''Driver''","doubled":true}`+"\n" {
		t.Errorf("%d %s", code, out)
	}
}

func TestR33_AHostileQueryReachesTheTerminalWithoutItsControlCharacters(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "Type='\x1b[2J\u202e"+strings.Repeat("x", 5000))
	if code != ExitUsage || strings.ContainsAny(out+errOut, "\x1b\u202e") || len(errOut) > 1000 {
		t.Errorf("%d %q %q", code, out, errOut)
	}
}

func TestOneQueryIsExpected(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{{"plugin", "query"}, {"plugin", "query", "IsHidden=0", "and", "IsInstalled=0"}} {
		if code, _, errOut := do(&fake{}, line...); code != ExitUsage || !strings.Contains(errOut, "in quotes") {
			t.Errorf("%v: %d %s", line, code, errOut)
		}
	}
}
