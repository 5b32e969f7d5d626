package hotfixcfg_test

import (
	"reflect"
	"strings"
	"testing"

	"cau/hotfixcfg"
)

func rule(path, parameters string) hotfixcfg.Rule {
	return hotfixcfg.Rule{Name: "R", Template: hotfixcfg.Template{Path: path, Parameters: parameters}}
}

// arguments parses a command line's parameters as the C runtime does ("Parsing C++ command-line
// arguments"), on its own, to judge what the package builds.
func arguments(line string) []string {
	var args []string
	var arg []byte
	started, in := false, false
	for i := 0; i < len(line); {
		slashes := 0
		for i+slashes < len(line) && line[i+slashes] == '\\' {
			slashes++
		}
		if i+slashes < len(line) && line[i+slashes] == '"' {
			arg = append(arg, strings.Repeat(`\`, slashes/2)...)
			i += slashes + 1
			started = true
			switch {
			case slashes%2 == 1:
				arg = append(arg, '"')
			case in && i < len(line) && line[i] == '"':
				arg = append(arg, '"')
				i++
			default:
				in = !in
			}
			continue
		}
		if slashes > 0 {
			arg, started = append(arg, strings.Repeat(`\`, slashes)...), true
			i += slashes
			continue
		}
		if c := line[i]; (c == ' ' || c == '\t') && !in {
			if started {
				args = append(args, string(arg))
			}
			arg, started = nil, false
		} else {
			arg, started = append(arg, c), true
		}
		i++
	}
	if started {
		args = append(args, string(arg))
	}
	return args
}

func TestR09_TheCommandLineIsWhatTheNodeRuns(t *testing.T) {
	const update = `C:\Program Files\cau\run 1\Update 1.msu`
	msu, _ := hotfixcfg.Default().Extension("msu")
	msi, _ := hotfixcfg.Default().Extension("msi")
	for _, c := range []struct {
		name string
		rule hotfixcfg.Rule
		line string
	}{
		{"default msu", msu, `%SystemRoot%\System32\wusa.exe "` + update + `" /quiet /norestart /log:"%CAU_LOG%.evtx"`},
		{"default msi", msi, `%SystemRoot%\System32\msiexec.exe /i "` + update + `" /qn /norestart REBOOT=ReallySuppress /L*V "%CAU_LOG%"`},
		{"bare name", rule("wusa.exe", ""), `%SystemRoot%\System32\wusa.exe`},
		{"folder with spaces", rule(`C:\My Tools\a.exe`, "/q"), `"C:\My Tools\a.exe" /q`},
		{"quoted path", rule(`"C:\My Tools\a.exe"`, "/q"), `"C:\My Tools\a.exe" /q`},
		{"slashes", rule(`C:/Tools/a.exe`, "/q"), `C:\Tools\a.exe /q`},
		{"variable that may hold spaces", rule(`%ProgramFiles(x86)%\a.exe`, ""), `"%ProgramFiles(x86)%\a.exe"`},
		{"the update itself", rule("$update$", "/s"), `"` + update + `" /s`},
		{"the update itself, quoted", rule(`"$update$"`, ""), `"` + update + `"`},
		{"quotes in the template", rule("a.exe", `/i "$update$" /q`), `%SystemRoot%\System32\a.exe /i "` + update + `" /q`},
		{"inside a longer quoted argument", rule("a.exe", `/log "x $update$.log"`), `%SystemRoot%\System32\a.exe /log "x ` + update + `.log"`},
		{"inside a longer argument", rule("a.exe", `/log:$update$.log`), `%SystemRoot%\System32\a.exe /log:"` + update + `".log`},
		{"twice", rule("a.exe", `$update$ $update$`), `%SystemRoot%\System32\a.exe "` + update + `" "` + update + `"`},
		{"a property with quotes", rule("a.exe", `TARGET="x y" $update$`), `%SystemRoot%\System32\a.exe TARGET="x y" "` + update + `"`},
		{
			"powershell", rule(`%systemroot%\System32\WindowsPowerShell\v1.0\powershell.exe`, "-File $update$"),
			`%systemroot%\System32\WindowsPowerShell\v1.0\powershell.exe -File "` + update + `"`,
		},
		{"cmd", rule("cmd.exe", `/c $update$ /q`), `%SystemRoot%\System32\cmd.exe /c "` + update + `" /q`},
		{"cmd, quotes in the template", rule(`%ComSpec%`, `/c ""$update$" /q"`), `%ComSpec% /c ""` + update + `" /q"`},
		{"cmd, a quoted line", rule(`%ComSpec%`, `/c "start $update$"`), `%ComSpec% /c "start "` + update + `""`},
	} {
		got, err := hotfixcfg.CommandLine(c.rule, update)
		if err != nil || got.String() != c.line {
			t.Errorf("%s:\n got %s (%v)\nwant %s", c.name, got, err, c.line)
		}
	}
	got, err := hotfixcfg.CommandLine(rule("$update$", ""), update)
	if err != nil || got.Program != update {
		t.Errorf("the program itself has no quotes: %+v %v", got, err)
	}
}

func TestR33_TheUpdatesPathIsOneWholeArgumentWhateverTheTemplate(t *testing.T) {
	for _, path := range []string{
		`C:\Program Files\cau\a.msu`, `\\srv\share\root\CAUHotfix_All\Update 1.msu`, `%ProgramFiles%\cau\a b.msu`,
		`C:\a\x' & calc ; $(y) ^.msu`, `C:\ü\é.msu`,
	} {
		for _, template := range []string{
			`$update$`, `"$update$"`, `/i $update$ /q`, `/i "$update$" /q`, `/i:$update$`, `"/i:$update$"`, `x"y z"$update$`,
			`$update$"y z"`, `""$update$""`, `$update$$update$`, `"a b"$update$"c d"`, `\$update$`, `\\$update$ \`, `\"$update$\"`,
			`"a\\"$update$`, `"a\\\"b"$update$`, `"" $update$ ""`, `$update$.log`, `/l*v "$update$.log" /i $update$`, "a\t$update$",
		} {
			cmd, err := hotfixcfg.CommandLine(rule("a.exe", template), path)
			if err != nil {
				t.Errorf("%s with %s: %v", template, path, err)
				continue
			}
			want := arguments(strings.ReplaceAll(template, "$update$", "TOKEN"))
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "TOKEN", path)
			}
			if got := arguments(cmd.Parameters); !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %s:\n got %q\nwant %q\nline %s", template, path, got, want, cmd.Parameters)
			}
		}
	}
}

func TestR33_APathThatCouldBeReadAsSomethingElseIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		rule hotfixcfg.Rule
		path string
		msg  string
	}{
		"double quote":            {rule("a.exe", "$update$"), `C:\a" /x ".msu`, "cannot stand"},
		"line break":              {rule("a.exe", "$update$"), "C:\\a\nb.msu", "control"},
		"direction override":      {rule("a.exe", "$update$"), "C:\\a\u202eusm.exe", "direction"},
		"relative":                {rule("a.exe", "$update$"), `a.msu`, "full path"},
		"relative to the drive":   {rule("a.exe", "$update$"), `C:a.msu`, "full path"},
		"empty":                   {rule("a.exe", "$update$"), ``, "full path"},
		"folder":                  {rule("a.exe", "$update$"), `C:\a\`, "empty name"},
		"share alone":             {rule("a.exe", "$update$"), `\\srv\share`, "share alone"},
		"climbing":                {rule("a.exe", "$update$"), `C:\a\..\b.msu`, "another folder"},
		"stream":                  {rule("a.exe", "$update$"), `C:\a.msu:b`, "colon"},
		"device namespace":        {rule("a.exe", "$update$"), `\\?\C:\a.msu`, "cannot stand"},
		"variable":                {rule("a.exe", "$update$"), `C:\%TEMP%\a.msu`, "percent"},
		"second variable":         {rule("a.exe", "$update$"), `%ProgramFiles%\%x%.msu`, "percent"},
		"cmd and ampersand":       {rule("cmd.exe", "/c $update$"), `C:\a&b.cmd`, "shell"},
		"cmd by variable":         {rule("%ComSpec%", "/c $update$"), `C:\a^b.cmd`, "shell"},
		"batch file as program":   {rule("$update$", ""), `C:\a&b.CMD`, "shell"},
		"powershell and dollar":   {rule(`C:\p\PowerShell.exe`, "-Command $update$"), `C:\$(calc).ps1`, "shell"},
		"powershell and quote":    {rule("pwsh", "-Command & '$update$'"), `C:\a'b.ps1`, "shell"},
		"powershell, curly quote": {rule("powershell", "-File $update$"), "C:\\a\u2019b.ps1", "shell"},
		"share as installer":      {rule(`\\evil\x\a.exe`, "$update$"), `C:\a.msu`, "file share"},
		"no installer":            {rule(``, "$update$"), `C:\a.msu`, "empty name"},
		"open quote":              {rule("a.exe", `"$update$`), `C:\a.msu`, "not closed"},
		"line break in template":  {rule("a.exe", "$update$\n/x"), `C:\a.msu`, "control"},
		"too long":                {rule("a.exe", strings.Repeat("$update$ ", 4000)), `C:\abcdef.msu`, "characters"},
	} {
		cmd, err := hotfixcfg.CommandLine(c.rule, c.path)
		if err == nil || !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%s: %v (%s)", name, err, cmd)
			continue
		}
		if strings.ContainsAny(err.Error(), "\n\u202e") {
			t.Errorf("%s: %q", name, err.Error())
		}
		if cmd != (hotfixcfg.Command{}) {
			t.Errorf("%s: an error and a command: %+v", name, cmd)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	f.Add(`/i "$update$" /q`, `C:\a b\c.msu`)
	f.Add(`\$update$"x`, `\\srv\share\c.msu`)
	f.Add(`"a\\"$update$$update$"b"`, `%ProgramFiles%\cau\c.msu`)
	f.Fuzz(func(t *testing.T, template, path string) {
		cmd, err := hotfixcfg.CommandLine(rule("a.exe", template), path)
		if err != nil || strings.Contains(template, "TOKEN") {
			return
		}
		want := arguments(strings.ReplaceAll(template, "$update$", "TOKEN"))
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "TOKEN", path)
		}
		if got := arguments(cmd.Parameters); !reflect.DeepEqual(got, want) {
			t.Errorf("%q with %q:\n got %q\nwant %q", template, path, got, want)
		}
	})
}
