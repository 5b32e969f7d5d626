package hotfixcfg_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cau/hotfixcfg"
)

// conforms asks xmllint, which is not ours, whether a file is of the documented form.
func conforms(t *testing.T, text string) (bool, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", "../docs/hotfix-config.xsd", path).CombinedOutput()
	return err == nil, string(out)
}

func TestTheFormThatIsDocumentedIsTheOneThatIsWritten(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CAU_REQUIRE_SERVERS") != "" {
			t.Fatal("xmllint is missing; see test.sh")
		}
		t.Skip("xmllint is not installed")
	}
	golden := string(read(t, "default.golden.xml"))
	for name, text := range map[string]string{
		"default": string(hotfixcfg.DefaultXML()), "golden": golden, "folder rule": string(read(t, "folderrule1.xml")),
		"folder rule, as we write it": string(hotfixcfg.Canonical(example(t))),
	} {
		if ok, why := conforms(t, text); !ok {
			t.Errorf("%s: %s", name, why)
		}
	}
	// What the reader refuses, the schema refuses.
	for name, change := range map[string][2]string{
		"no Success":             {"<Success>0</Success>", ""},
		"a misspelt condition":   {"Fail_RebootRequired>", "Fail_Reboot>"},
		"no path":                {`path="%SystemRoot%\System32\wusa.exe"`, ""},
		"a word for a code":      {"<Success>0<", "<Success>zero<"},
		"nine hex digits":        {"0x00240006<", "0x100240006<"},
		"alwaysReboot elsewhere": {`<Extension name="MSU">`, `<Extension name="MSU" alwaysReboot="true">`},
		"a path for a name":      {`name="MSP"`, `name="a\b"`},
		"no conditions":          {"<FolderRules>", `<FolderRules><Folder name="F"><Template path="$update$"/></Folder>`},
	} {
		text := strings.ReplaceAll(golden, change[0], change[1])
		if text == golden {
			t.Fatalf("%s: nothing was changed", name)
		}
		if ok, _ := conforms(t, text); ok {
			t.Errorf("%s: the schema lets it pass", name)
		}
		if _, problems := hotfixcfg.Validate([]byte(text)); len(problems) == 0 {
			t.Errorf("%s: the reader lets it pass", name)
		}
	}
}
