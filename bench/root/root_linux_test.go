package root

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

// protection is one way over the wire: a share that asks for it, and the option that makes Samba's programs do the same.
type protection struct{ name, share, option string }

func protections(signed, encrypted string) []protection {
	return []protection{{"signed", signed, "--client-protection=sign"}, {"encrypted", encrypted, "--client-protection=encrypt"}}
}

// sampled is how many files smbcacls is run for in a round: it reads one per process.
const sampled = 50

func BenchmarkListing(b *testing.B) {
	s := sambatest.Start(b, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	program, local := built(b), makeTree(b)
	native, login := s.Native(b), s.Login(b)
	var t table
	var jobs []job
	for _, p := range protections("acl", "aclenc") {
		publish(b, s, p.share, local)
		unc, smbclient := `//127.0.0.1/`+p.share, []string{"-s", s.Config(), "-A", login, "-p", strconv.Itoa(s.Port), "-D", "Root", p.option}
		listing := func(commands string, expect ...string) func(context.Context) (sample, error) {
			return func(ctx context.Context) (sample, error) {
				return run(exec.CommandContext(ctx, "smbclient", append([]string{unc, "-c", commands}, smbclient...)...), expect...)
			}
		}
		jobs = append(jobs,
			job{"Walk, every descriptor", p.name, func(ctx context.Context) (sample, error) { return walk(ctx, s, p.share) }},
			job{"cau hotfix check", p.name, func(ctx context.Context) (sample, error) {
				cmd := exec.CommandContext(ctx, program, append([]string{
					"hotfix", "check", at(p.share).String(), "--smb-port", strconv.Itoa(s.Port),
					"--auth", "ntlm", "--user", sambatest.Admin, "--password-file", passwordFile(b),
				}, nodeFlags()...)...)
				return run(cmd, fmt.Sprintf("Listed %d files and folders", entries), fmt.Sprintf("%d updates, nothing left over", files))
			}},
			job{"smbclient recurse;ls, no descriptors", p.name, listing("recurse;ls", lastFile)},
			job{"smbclient showacls;recurse;ls", p.name, listing("showacls;recurse;ls", lastFile, "type: ACCESS ALLOWED")},
			job{fmt.Sprintf("smbcacls, a process for each file; %d files", sampled), p.name, func(ctx context.Context) (sample, error) {
				return each(ctx, native, p)
			}},
		)
	}
	t.measure(b, jobs)
	t.print(os.Stdout, fmt.Sprintf("%d files in %d folders", files, folders))
}

// walk connects first, so that a walk's time is a walk's.
func walk(ctx context.Context, s *sambatest.Server, share string) (sample, error) {
	c, err := connect(ctx, s, at(share))
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = c.Close() }()
	before, began := allocated(), time.Now()
	tree, err := c.Walk(ctx, smbcheck.Limits{})
	m := sample{took: time.Since(began)}
	if err != nil {
		return m, err
	}
	m.allocated, m.sent = allocated()-before, frames(c)
	if len(tree.Entries) != entries {
		return m, fmt.Errorf("%d entries", len(tree.Entries))
	}
	for _, e := range tree.Entries {
		if e.Security == nil {
			return m, fmt.Errorf("%s: %w", e.Path, e.Unread)
		}
	}
	return m, nil
}

// allocated is what this process has ever allocated, in bytes.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func each(ctx context.Context, native *sambatest.Native, p protection) (all sample, err error) {
	for i := range sampled {
		path := `Root\` + fileName(i*files/sampled)
		m, err := run(native.CACLs(ctx, p.share, path, "--numeric", p.option), "CONTROL:")
		if err != nil {
			return all, err
		}
		all.took, all.peak = all.took+m.took, max(all.peak, m.peak)
	}
	return all, nil
}

// bulk is the size of the file that is hashed.
const bulk = 500 << 20

func BenchmarkHashing(b *testing.B) {
	s := sambatest.Start(b, sambatest.Global("server signing = mandatory"))
	login, copied := s.Login(b), filepath.Join(b.TempDir(), "copied")
	want := makeBulk(b, filepath.Join(s.Dir("plain"), "big.msu"))
	if err := os.Link(filepath.Join(s.Dir("plain"), "big.msu"), filepath.Join(s.Dir("enc"), "big.msu")); err != nil {
		b.Fatal(err)
	}
	t := table{bytes: bulk}
	var jobs []job
	for _, p := range protections("plain", "enc") {
		get := func(to string, more ...string) func(context.Context) (sample, error) {
			return func(ctx context.Context) (sample, error) {
				args := append([]string{
					"//127.0.0.1/" + p.share, "-s", s.Config(), "-A", login, "-p", strconv.Itoa(s.Port), p.option,
					"-c", "get big.msu " + to,
				}, more...)
				m, err := run(exec.CommandContext(ctx, "smbclient", args...))
				if fi, e := os.Stat(to); err == nil && (e != nil || fi.Mode().IsRegular() && fi.Size() != bulk) {
					err = fmt.Errorf("%s: %w", to, e)
				}
				return m, err
			}
		}
		jobs = append(jobs,
			job{"HashFile", p.name, func(ctx context.Context) (sample, error) { return hash(ctx, s, p.share, want) }},
			job{"smbclient get to /dev/null, no hash", p.name, get("/dev/null")},
			job{"smbclient get to a file, no hash", p.name, get(copied)},
		)
	}
	jobs = append(jobs, job{"smbclient get to /dev/null, signed with AES-CMAC", "signed", func(ctx context.Context) (sample, error) {
		return run(exec.CommandContext(ctx, "smbclient", "//127.0.0.1/plain", "-s", s.Config(), "-A", login, "-p", strconv.Itoa(s.Port),
			"--client-protection=sign", "--option=client smb3 signing algorithms=AES-128-CMAC", "-c", "get big.msu /dev/null"))
	}})
	t.measure(b, jobs)
	t.print(os.Stdout, fmt.Sprintf("one file of %d MiB", bulk>>20))
}

func hash(ctx context.Context, s *sambatest.Server, share string, want [sha256.Size]byte) (sample, error) {
	c, err := connect(ctx, s, smbcheck.Location{Server: "127.0.0.1", Share: share})
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = c.Close() }()
	before, began := allocated(), time.Now()
	sum, size, err := c.HashFile(ctx, "big.msu", nil)
	m := sample{took: time.Since(began), allocated: allocated() - before, sent: frames(c)}
	if err == nil && (sum != want || size != bulk) {
		err = fmt.Errorf("%d bytes with the hash %x", size, sum)
	}
	return m, err
}

func makeBulk(b *testing.B, path string) [sha256.Size]byte {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8([32]byte{}), bulk)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func connect(ctx context.Context, s *sambatest.Server, l smbcheck.Location) (*smbcheck.Connection, error) {
	return smbcheck.Connect(ctx, l, smbcheck.NTLM{User: sambatest.Admin, Password: sambatest.Password}, smbcheck.Options{Addr: s.Addr})
}

// frames is how many messages this connection has sent, from its first on; a compound of many requests is one.
func frames(c *smbcheck.Connection) int {
	sent := c.Facts().Sent
	return sent.Plain + sent.Signed + sent.Sealed
}

// run is a whole process: its start, its sign-in, its output. What it prints must contain all of expect.
func run(cmd *exec.Cmd, expect ...string) (sample, error) {
	report, err := watched(cmd)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	out, err := cmd.CombinedOutput()
	m := sample{took: time.Since(began)}
	if err != nil {
		return m, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(out))
	}
	for _, words := range expect {
		if !strings.Contains(string(out), words) {
			return m, fmt.Errorf("%s: no %q in\n%s", strings.Join(cmd.Args, " "), words, tail(out))
		}
	}
	m.peak, err = report()
	return m, err
}

// watched lets GNU time start a program and say how much memory it had at most. Started by this process it would have
// had no less than this process has: what getrusage(2) counts begins before execve(2).
func watched(cmd *exec.Cmd) (peak func() (int64, error), err error) {
	program, err := exec.LookPath("time")
	if err != nil {
		return func() (int64, error) { return 0, nil }, nil //nolint:nilerr // the table then says nothing about memory
	}
	f, err := os.CreateTemp("", "cau-bench-")
	if err != nil {
		return nil, err
	}
	cmd.Path, cmd.Args = program, append([]string{program, "-q", "-f", "%M", "-o", f.Name()}, cmd.Args...)
	return func() (int64, error) {
		text, err := io.ReadAll(f)
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		if err != nil {
			return 0, err
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return kib << 10, err
	}, nil
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }
