package coordinator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func platformSurvey(ctx context.Context) surroundings {
	s := surroundings{goos: "linux"}
	if u, err := user.Current(); err == nil {
		s.user = u.Username
	}
	cgroup, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return s // no cgroups, no logind
	}
	s.scope, s.manager = placeOf(string(cgroup))
	if s.scope == "" && !s.manager {
		return s
	}
	_, err = os.Stat(filepath.Join("/var/lib/systemd/linger", s.user))
	s.linger = err == nil
	s.systemdRun, _ = exec.LookPath("systemd-run")
	s.bus = hasUserBus()
	if s.scope != "" {
		s.kills, s.only, s.spared = logindSettings(ctx)
	}
	return s
}

// placeOf reads /proc/PID/cgroup: the session scope the process is in, and whether it is below a user's manager.
func placeOf(cgroup string) (scope string, manager bool) {
	for line := range strings.Lines(cgroup) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), "::")
		if !ok {
			_, path, ok = strings.Cut(strings.TrimSpace(line), ":name=systemd:")
		}
		if !ok {
			continue
		}
		for part := range strings.SplitSeq(path, "/") {
			switch {
			case strings.HasPrefix(part, "session-") && strings.HasSuffix(part, ".scope"):
				scope = part
			case strings.HasPrefix(part, "user@") && strings.HasSuffix(part, ".service"):
				manager = true
			}
		}
	}
	return scope, manager
}

func hasUserBus() bool {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "systemd", "private"))
	return err == nil
}

// logindSettings asks logind itself; where that does not work, its configuration files.
func logindSettings(ctx context.Context) (kills answer, only, spared []string) {
	kills = boolProperty(ctx, "KillUserProcesses")
	if kills == unknown {
		return logindFiles("/")
	}
	return kills, listProperty(ctx, "KillOnlyUsers"), listProperty(ctx, "KillExcludeUsers")
}

// property reads one property of org.freedesktop.login1.Manager in busctl's notation: `b false`, `as 1 "root"`.
func property(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func boolProperty(ctx context.Context, name string) answer {
	switch property(ctx, name) {
	case "b true":
		return yes
	case "b false":
		return no
	}
	return unknown
}

func listProperty(ctx context.Context, name string) []string {
	return busList(property(ctx, name))
}

func busList(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// logindFiles reads logind.conf and its drop-ins below root (logind.conf(5)): the vendor's file, then the drop-ins
// of all places by file name, the last word counts. The commented line of the installed file states the default that
// the program was built with; where there is none, it is not known.
func logindFiles(root string) (kills answer, only, spared []string) {
	kills, spared = unknown, []string{"root"}
	apply := func(path string, comments bool) {
		data, err := readBounded(path, 1<<20)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			commented := strings.HasPrefix(line, "#")
			key, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), "=")
			if !ok || (commented && !comments) || (!commented && comments) {
				continue
			}
			switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
			case "KillUserProcesses":
				kills = boolOf(value)
			case "KillOnlyUsers":
				only = strings.Fields(value)
			case "KillExcludeUsers":
				spared = strings.Fields(value)
			}
		}
	}
	var main string
	dropins := map[string]string{}
	for _, dir := range []string{"usr/lib/systemd", "usr/local/lib/systemd", "run/systemd", "etc/systemd"} {
		file := filepath.Join(root, dir, "logind.conf")
		if _, err := os.Stat(file); err == nil {
			main = file
		}
		found, err := filepath.Glob(filepath.Join(root, dir, "logind.conf.d", "*.conf"))
		if err != nil {
			continue
		}
		for _, f := range found {
			dropins[filepath.Base(f)] = f // the same name in a later place replaces the earlier one
		}
	}
	apply(main, true)
	apply(main, false)
	names := make([]string, 0, len(dropins))
	for name := range dropins {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		apply(dropins[name], false)
	}
	return kills, only, spared
}

func boolOf(value string) answer {
	switch strings.ToLower(value) {
	case "yes", "true", "on", "1":
		return yes
	case "no", "false", "off", "0":
		return no
	}
	return unknown
}

// prove checks what the session alone does not: where logind ends a session's processes, this one is not among them.
func (d decision) prove(pid int) error {
	if !d.scope {
		return nil
	}
	cgroup, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return fmt.Errorf("read where process %d is: %w", pid, err)
	}
	if scope, manager := placeOf(string(cgroup)); scope != "" || !manager {
		return fmt.Errorf("process %d is still in %s", pid, strings.TrimSpace(string(cgroup)))
	}
	return nil
}

func breakawayRefused(error) bool  { return false }
func killedWithJob() (bool, error) { return false, nil }
