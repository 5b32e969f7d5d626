package rollingupgrade_test

import (
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/rollingupgrade"
)

func TestTheRollingUpgradesArgumentsAreKnownAndItIsRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	var p plugins.Plugin = rollingupgrade.Plugin{}
	for text, want := range map[string]string{
		"":                 "",
		"WuConnected=true": "",
		`wuconnected=false;PathToSetupMedia=\\fs1\media`: "",
		"WuConnected=False":            "PathToSetupMedia: is missing",
		"MockSetup=True":               "PathToSetupMedia: is missing",
		`PathToSetupMedia=\\fs1\media`: "means nothing while WuConnected is True",
	} {
		sets, err := plugins.ParseArguments(text)
		if err != nil {
			t.Fatal(err)
		}
		args, problems := plugins.ResolvePlaced(p.Options(), sets[0])
		problems = append(problems, p.Validate(args)...)
		if got := len(problems); got > 1 || (got == 1) != (want != "") || got == 1 && !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v, want %q", text, problems, want)
		}
	}
	refused := p.(plugins.Refuser).Refused()
	if _, err := p.Scan(t.Context(), nil, nil); err == nil || refused == nil || !strings.Contains(fault.Hint(refused), "Invoke-CauRun") {
		t.Errorf("%v %v", err, refused)
	}
}
