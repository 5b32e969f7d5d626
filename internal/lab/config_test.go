package lab_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"cau/internal/lab"
	"cau/internal/lab/wsmanserver"
)

func TestBadConfigurationsAreRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	base := func() lab.Config { return lab.Config{Dir: filepath.Join(t.TempDir(), "l"), ID: "x", Linger: -1} }
	for name, change := range map[string]func(*lab.Config){
		"no folder":        func(c *lab.Config) { c.Dir = "" },
		"no id":            func(c *lab.Config) { c.ID = "" },
		"too many nodes":   func(c *lab.Config) { c.Nodes = 65 },
		"negative nodes":   func(c *lab.Config) { c.Nodes = -1 },
		"unknown scenario": func(c *lab.Config) { c.Scenario = "no-such" },
		"negative speed":   func(c *lab.Config) { c.Speed = -1 },
		"endless speed":    func(c *lab.Config) { c.Speed = 1e300 },
		"parts of seconds": func(c *lab.Config) { c.TicketLifetime = time.Millisecond },
		"negative tickets": func(c *lab.Config) { c.TicketLifetime = -time.Second },
		"negative locks":   func(c *lab.Config) { c.LockAfter = -1 },
		"faults of no node": func(c *lab.Config) {
			c.Faults = map[string][]wsmanserver.Fault{"NODE99": {{On: "Create", Kind: wsmanserver.KindReset}}}
		},
		"impossible faults": func(c *lab.Config) {
			c.Faults = map[string][]wsmanserver.Fault{"NODE1": {{On: "Logon", Kind: wsmanserver.KindCutBody}}}
		},
		"no password file": func(c *lab.Config) {
			c.Shares = []lab.Share{{UNC: `\\a\b`, Address: "127.0.0.1:1", User: "u", PasswordFile: open + "x"}}
		},
		"password for all": func(c *lab.Config) {
			c.Shares = []lab.Share{{UNC: `\\a\b`, Address: "127.0.0.1:1", User: "u", PasswordFile: open}}
		},
	} {
		if runtime.GOOS == "windows" && name == "password for all" {
			continue
		}
		c := base()
		change(&c)
		if err := lab.Serve(t.Context(), c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestParseShare(t *testing.T) {
	got, err := lab.ParseShare(`\\server\share=127.0.0.1:445,DOM\user,/a,b/pw`)
	want := lab.Share{UNC: `\\server\share`, Address: "127.0.0.1:445", User: `DOM\user`, PasswordFile: "/a,b/pw"}
	if err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{
		"", `\\server=x:1,u,p`, `\\server\share`, `\\server\share=x,u,p`, `\\server\share=x:1`, `\\server\share=x:1,u`,
		`\\server\share=:1,u,p`, `\\server\share=x:1,,p`, `\\server\share=x:1,u,`, `\\server\share\sub=x:1,u,p`, `server\share=x:1,u,p`, "\\\\s\\a\nb=x:1,u,p",
	} {
		if s, err := lab.ParseShare(bad); err == nil {
			t.Errorf("%q is taken as %+v", bad, s)
		}
	}
}

func FuzzParseShare(f *testing.F) {
	f.Add(`\\server\share=127.0.0.1:445,user,file`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := lab.ParseShare(s); err == nil && got.UNC+"="+got.Address+","+got.User+","+got.PasswordFile != s {
			t.Errorf("%q is taken as %+v", s, got)
		}
	})
}

func TestScenariosAreNamedAndDescribed(t *testing.T) {
	all, err := lab.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
		if s.Description == "" {
			t.Errorf("%s has no description", s.Name)
		}
	}
	// Which there are is said where they are made; without these no rehearsal could begin.
	for _, want := range []string{"default", "s2d", "restart-never"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(all) {
		t.Errorf("two of one name: %v", names)
	}
}
