package coordinator

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestWhereAProcessIsFollowsFromItsControlGroup(t *testing.T) {
	const user = "0::/user.slice/user-1000.slice/"
	for _, c := range []struct {
		text, scope string
		manager     bool
	}{
		{text: ""},
		{text: "0::/system.slice/sshd.service\n"},
		{text: "9:name=systemd:/\n0::/\n"},
		{text: "4:memory:/user.slice/session-9.scope\n"},
		{text: user + "session-4.scope\n", scope: "session-4.scope"},
		{text: "12:pids:/x\n1:name=systemd:/user.slice/user-0.slice/session-c1.scope\n0::/\n", scope: "session-c1.scope"},
		{text: user + "user@1000.service/app.slice/vte-spawn.scope\n", manager: true},
		{text: user + "user@1000.service/app.slice/run-r1.scope\n1:name=elogind:/session-7.scope\n", manager: true},
	} {
		if scope, manager := placeOf(c.text); scope != c.scope || manager != c.manager {
			t.Errorf("%q: %q %v", c.text, scope, manager)
		}
	}
}

func TestLogindSettingsAreReadAsLogindReadsThem(t *testing.T) {
	type files map[string]string
	for name, c := range map[string]struct {
		files  files
		kills  answer
		only   []string
		spared []string
	}{
		"nothing there":          {nil, unknown, nil, []string{"root"}},
		"the built-in default":   {files{"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=no\n#KillExcludeUsers=root\n"}, no, nil, []string{"root"}},
		"set over the default":   {files{"etc/systemd/logind.conf": "KillUserProcesses=yes\n#KillUserProcesses=no\n"}, yes, nil, []string{"root"}},
		"set in a drop-in":       {files{"usr/lib/systemd/logind.conf": "#KillUserProcesses=no\n", "etc/systemd/logind.conf.d/50-x.conf": " KillUserProcesses = true \nKillOnlyUsers=bob eva\nKillExcludeUsers=\n"}, yes, []string{"bob", "eva"}, []string{}},
		"drop-ins in order":      {files{"usr/lib/systemd/logind.conf.d/60-y.conf": "KillUserProcesses=no", "etc/systemd/logind.conf.d/50-x.conf": "KillUserProcesses=yes"}, no, nil, []string{"root"}},
		"a drop-in replaced":     {files{"usr/lib/systemd/logind.conf.d/60-y.conf": "KillUserProcesses=no", "etc/systemd/logind.conf.d/60-y.conf": "KillUserProcesses=yes"}, yes, nil, []string{"root"}},
		"a word nobody knows":    {files{"etc/systemd/logind.conf": "KillUserProcesses=perhaps"}, unknown, nil, []string{"root"}},
		"commented in a drop-in": {files{"etc/systemd/logind.conf.d/a.conf": "#KillUserProcesses=no"}, unknown, nil, []string{"root"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range c.files {
				full := filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			kills, only, spared := logindFiles(root)
			if kills != c.kills || !slices.Equal(only, c.only) || !slices.Equal(spared, c.spared) {
				t.Errorf("%v %q %q", kills, only, spared)
			}
		})
	}
}

func TestAListOfTheBusIsReadWhole(t *testing.T) {
	for text, want := range map[string][]string{`as 0`: nil, `as 2 "root" "anna"`: {"root", "anna"}, "": nil} {
		if got := busList(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestR28_AProcessOfOurOwnSessionIsNoProof(t *testing.T) {
	if err := proveSession(os.Getpid()); err == nil {
		t.Error("this very process counts as detached")
	}
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "60"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Kill(); _, _ = p.Wait() }()
	if err := proveSession(p.Pid); err == nil {
		t.Error("a child in our session counts as detached")
	}
	own, err := os.StartProcess("/bin/sleep", []string{"sleep", "60"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Kill(); _, _ = own.Wait() }()
	if err := proveSession(own.Pid); err != nil {
		t.Error(err)
	}
	// Outside of a session scope is not enough where it has to be below the user's service manager.
	if err := (decision{scope: true}).prove(own.Pid); err == nil {
		t.Error("a process that systemd-run did not move counts as moved")
	}
}

func FuzzPlaceOf(f *testing.F) {
	f.Add("0::/user.slice/user-1000.slice/session-4.scope\n")
	f.Fuzz(func(t *testing.T, text string) {
		if scope, _ := placeOf(text); len(scope) > len(text) {
			t.Fatalf("%q from %q", scope, text)
		}
	})
}
