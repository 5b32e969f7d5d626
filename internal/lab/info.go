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
	// Accounts are the administrator and one account of each other kind, for tests of what becomes of them.
	Accounts []Account `json:"accounts"`
	Nodes    []Node    `json:"nodes"`
	// CAFile is the certificate, PEM, of the authority that signed those of the HTTPS listeners.
	CAFile            string            `json:"ca_file"`
	Kerberos          Kerberos          `json:"kerberos"`
	ClientCertificate ClientCertificate `json:"client_certificate"`
	// Speed is how many times faster than real time the model's passes, from Started on, while nobody keeps it waiting.
	// A Hold tells the model time, and so does Now.
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

// Node is where a node's WinRM listens.
type Node struct {
	Name string `json:"name"`
	// FQDN is the name that Kerberos and the certificate know; no DNS does.
	FQDN string `json:"fqdn"`
	// Address is plain HTTP: Negotiate and Kerberos, sealed only.
	Address string `json:"address"`
	// HTTPS takes Negotiate, Kerberos, client certificates and Basic.
	HTTPS string `json:"https"`
	// SMB is where the node offers its ADMIN$ share to administrators, over NTLM; nobody listens there when its
	// firewall is closed.
	SMB string `json:"smb"`
}

// Account is somebody who may try to sign in.
type Account struct {
	// Kind is one of administrator, local-administrator, no-administrator, locked, disabled, password-expired
	// and must-change-password. A local account is the same on all nodes; Basic takes no other.
	Kind string `json:"kind"`
	// User is DOMAIN\user, or user for a local account.
	User     string `json:"user"`
	Password string `json:"password"`
}

// Kerberos is the lab's realm. Its clock is the real one, whatever the model's does.
type Kerberos struct {
	Realm string `json:"realm"`
	// KDC is host:port, TCP and UDP.
	KDC string `json:"kdc"`
	// ConfigFile is a krb5.conf; KeytabFile holds the administrator's keys and may be read by its owner only.
	ConfigFile string `json:"config_file"`
	KeytabFile string `json:"keytab_file"`
}

// ClientCertificate is a certificate that the nodes map to their local administrator, with its key: PEM, the
// key in PKCS #8.
type ClientCertificate struct {
	CertFile string `json:"cert_file"`
	KeyFile  string `json:"key_file"`
}

// Served is where a share is.
type Served struct {
	UNC     string `json:"unc"`
	Address string `json:"address"`
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

// write replaces lab.json.
func (i Info) write() error {
	text, err := json.MarshalIndent(i, "", "  ") //nolint:gosec // the password of a lab, made for it, in a file of its owner
	if err != nil {
		return fmt.Errorf("lab.json: %w", err)
	}
	return replaceFile(filepath.Join(i.Dir, infoFile), append(text, '\n'))
}

// replaceFile writes a file of the lab's folder as a whole, for its owner only: readers see the old one or
// the new one.
func replaceFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".lab-*")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
