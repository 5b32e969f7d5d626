package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Info is lab.json: all that is needed to use a lab. It holds a password and is readable by its owner only.
type Info struct {
	ID      string    `json:"id"`
	Dir     string    `json:"dir"`
	PID     int       `json:"pid"`
	Program string    `json:"program,omitempty"`
	Started time.Time `json:"started"`
	// Ended is when the lab ended by itself; zero while it lives, or when it was killed.
	Ended time.Time `json:"ended,omitzero"`
	// Cluster and Domain are NetBIOS names; User is DOMAIN\user, an administrator of all nodes and a reader
	// of the lab's shares.
	Cluster  string `json:"cluster"`
	Domain   string `json:"domain"`
	User     string `json:"user"`
	Password string `json:"password"`
	Nodes    []Node `json:"nodes"`
	// Speed: model time = Started + Speed * (real time - Started).
	Speed    float64 `json:"speed"`
	Scenario string  `json:"scenario"`
	// Root is the lab's own sample hotfix root.
	Root   string   `json:"root"`
	Shares []Served `json:"shares"`
	Socket string   `json:"socket"`
	// Simulated is always true: nothing of this is a real cluster.
	Simulated bool `json:"simulated"`
	// Alive is not in the file: the lab answered when the file was read.
	Alive bool `json:"-"`
}

// Node is where a node's WinRM listens: plain HTTP, sealed NTLM.
type Node struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Served is where a share is.
type Served struct {
	UNC     string `json:"unc"`
	Address string `json:"address"`
}

// Now is the lab's model time at the real time t.
func (i Info) Now(t time.Time) time.Time {
	return i.Started.Add(time.Duration(float64(t.Sub(i.Started)) * i.Speed))
}

const (
	infoFile = "lab.json"
	maxInfo  = 1 << 20
)

// ErrGone says that the lab has ended, or that its process was killed.
var ErrGone = errors.New("the lab is gone")

// Load reads the lab in a folder and looks whether it lives.
func Load(dir string) (Info, error) {
	f, err := os.Open(filepath.Join(dir, infoFile))
	if err != nil {
		return Info{}, fmt.Errorf("lab: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxInfo))
	if err != nil {
		return Info{}, fmt.Errorf("lab: %w", err)
	}
	var i Info
	if err := json.Unmarshal(text, &i); err != nil {
		return Info{}, fmt.Errorf("lab: %s: %w", f.Name(), err)
	}
	i.Alive = i.answers()
	return i, nil
}

// List finds the labs below home/labs, the newest first. What cannot be read is no lab.
func List(home string) ([]Info, error) {
	entries, err := os.ReadDir(filepath.Join(home, "labs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("labs: %w", err)
	}
	var out []Info
	for _, e := range entries {
		if i, err := Load(filepath.Join(home, "labs", e.Name())); err == nil {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Info) int { return b.Started.Compare(a.Started) })
	return out, nil
}

// answers tells whether the lab's process is there and has its socket open. The process alone would not
// do: its number may be another's by now.
func (i Info) answers() bool {
	if !i.Ended.IsZero() || !processExists(i.PID) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", i.Socket)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// write replaces lab.json as a whole: readers see the old one or the new one.
func (i Info) write() (err error) {
	text, err := json.MarshalIndent(i, "", "  ") //nolint:gosec // the password of a lab, made for it, in a file of its owner
	if err != nil {
		return fmt.Errorf("lab.json: %w", err)
	}
	f, err := os.CreateTemp(i.Dir, ".lab-*.json")
	if err != nil {
		return fmt.Errorf("lab.json: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(i.Dir, infoFile))
	}
	if err != nil {
		return fmt.Errorf("lab.json: %w", err)
	}
	return nil
}
