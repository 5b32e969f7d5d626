package lab

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"cau/internal/lab/model"
	"cau/internal/lab/nodeshare"
	"cau/internal/lab/wsmanserver"
)

// Config says which lab to serve.
type Config struct {
	// Dir is the lab's own folder; it is made if it does not exist.
	Dir string
	// ID names the lab.
	ID string
	// Nodes is the number of nodes, 1 to 64; 0 means 4.
	Nodes int
	// Scenario is the name of one of Scenarios; empty means "default".
	Scenario string
	// Speed is how much faster than real time the model's time passes, from 1/1000 to 100000; 0 means 1.
	Speed float64
	// Shares says where shares that are not the lab's own really are.
	Shares []Share
	// Linger is how long the lab lives after the last attached connection has closed: 0 ends it at once, a
	// negative one never. A lab that nobody attaches to ends after Linger, but not within the first minute.
	Linger time.Duration
	// Program is the executable that serves the lab, for information.
	Program string
	// Faults are the misbehaviours that nodes' WinRM services start with, by the node's name.
	Faults map[string][]wsmanserver.Fault
	// FaultsAfterRestart take their place when the node has come back from its first restart.
	FaultsAfterRestart map[string][]wsmanserver.Fault
	// Quotas are those of every node's WinRM service; zero values are the defaults of Windows.
	Quotas wsmanserver.Quotas
	// TicketLifetime is how long a Kerberos ticket lives, in whole seconds of real time; 0 means 10 hours.
	TicketLifetime time.Duration
	// ClosedAdminShare are the names of nodes whose firewall lets nobody connect to their ADMIN$ share.
	ClosedAdminShare []string
	// LockAfter is how many wrong passwords in a row lock an account, in NTLM and Basic together and in
	// Kerberos; 0 means never.
	LockAfter int
	// AdminLocked locks the administrator's account from the beginning.
	AdminLocked bool
}

// Share is a share that the nodes reach at Address, signing in as User instead of as their computer
// accounts.
type Share struct {
	// UNC is \\server\share.
	UNC string
	// Address is host:port.
	Address string
	// User is DOMAIN\user or user; PasswordFile holds the password in its first line and may be read by
	// its owner only.
	User         string
	PasswordFile string
}

var uncShape = regexp.MustCompile(`^\\\\[^\\/:*?"<>|\x00-\x1f]+\\[^\\/:*?"<>|\x00-\x1f]+$`)

// ParseShare reads \\server\share=ADDR:PORT,user,password-file. The name of the file may hold commas.
func ParseShare(s string) (Share, error) {
	const want = `want \\server\share=ADDR:PORT,user,password-file`
	unc, rest, ok := strings.Cut(s, "=")
	if !ok || !uncShape.MatchString(unc) {
		return Share{}, errors.New("share: it begins with no share's name; " + want)
	}
	parts := strings.SplitN(rest, ",", 3)
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return Share{}, fmt.Errorf("share %s: address, user and password file are needed; %s", unc, want)
	}
	host, port, err := net.SplitHostPort(parts[0])
	if err != nil || host == "" || port == "" {
		return Share{}, fmt.Errorf("share %s: the address is not host:port; %s", unc, want)
	}
	return Share{UNC: unc, Address: parts[0], User: parts[1], PasswordFile: parts[2]}, nil
}

// target reads the password and makes what nodes sign in with.
func (s Share) target() (nodeshare.Target, error) {
	password, err := readPassword(s.PasswordFile)
	if err != nil {
		return nodeshare.Target{}, fmt.Errorf("share %s: %w", s.UNC, err)
	}
	t := nodeshare.Target{Address: s.Address, User: s.User, Password: password}
	if domain, user, ok := strings.Cut(s.User, `\`); ok {
		t.Domain, t.User = domain, user
	}
	return t, nil
}

func readPassword(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("password file %s can be read by others: chmod 600 it", path)
	}
	if info.Size() > 4096 {
		return "", fmt.Errorf("password file %s is too large", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

func (c *Config) check() error {
	switch {
	case c.Dir == "" || c.ID == "":
		return errors.New("lab: a folder and an id are needed")
	case c.Speed < 0 || c.Speed != 0 && (c.Speed < 0.001 || c.Speed > 100_000) || c.Speed != c.Speed:
		return fmt.Errorf("lab: a speed of %g; 0.001 to 100000 are possible", c.Speed)
	case c.TicketLifetime < 0 || c.TicketLifetime%time.Second != 0:
		return fmt.Errorf("lab: a ticket lifetime of %v; whole seconds are possible", c.TicketLifetime)
	case c.LockAfter < 0:
		return fmt.Errorf("lab: accounts that lock after %d wrong passwords", c.LockAfter)
	}
	if c.Nodes == 0 {
		c.Nodes = 4
	}
	if c.Speed == 0 {
		c.Speed = 1
	}
	return nil
}

// Scenario is what a lab can be made to go through.
type Scenario struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Scenarios are all scenarios, by name.
func Scenarios() ([]Scenario, error) {
	all, err := model.Scenarios()
	if err != nil {
		return nil, err
	}
	out := make([]Scenario, 0, len(all))
	for _, s := range all {
		out = append(out, Scenario{Name: s.Name, Description: s.Description})
	}
	return out, nil
}
