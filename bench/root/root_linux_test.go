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
				return runWatched(exec.CommandContext(ctx, "smbclient", append([]string{unc, "-c", commands}, smbclient...)...), expect...)
			}
		}
		jobs = append(jobs,
			job{"Walk, every descriptor", p.name, func(ctx context.Context) (sample, error) { return walk(ctx, s, p.share) }},
			job{"cau hotfix check", p.name, func(ctx context.Context) (sample, error) {
				cmd := exec.CommandContext(ctx, program, append([]string{
					"hotfix", "check", at(p.share).String(), "--smb-port", strconv.Itoa(s.Port),
					"--auth", "ntlm", "--user", sambatest.Admin, "--password-file", passwordFile(b),
				}, nodeFlags()...)...)
				return runWatched(cmd, fmt.Sprintf("Listed %d files and folders", entries), fmt.Sprintf("%d updates, nothing left over", files))
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
		all.took += m.took
	}
	return all, nil
}

// bulk is the size of the file that is hashed.
const bulk = 500 << 20

// BenchmarkHashing has a second server for smbclient: that one gives a MiB at a time, as much as we ask for. Smbclient takes
// as much as a server gives, 8 MiB by default.
func BenchmarkHashing(b *testing.B) {
	s := sambatest.Start(b, sambatest.Global("server signing = mandatory"))
	pieces := sambatest.Start(b, sambatest.Global("server signing = mandatory", "smb2 max read = 1048576"))
	file := filepath.Join(b.TempDir(), "big.msu")
	copied, want := file+".copy", makeBulk(b, file)
	for _, at := range []*sambatest.Server{s, pieces} {
		for _, share := range []string{"plain", "enc"} {
			if err := os.Link(file, filepath.Join(at.Dir(share), "big.msu")); err != nil {
				b.Fatal(err)
			}
		}
	}
	t := table{bytes: bulk}
	var jobs []job
	for _, p := range protections("plain", "enc") {
		get := func(from *sambatest.Server, to string, more ...string) func(context.Context) (sample, error) {
			args := append([]string{
				"//127.0.0.1/" + p.share, "-s", from.Config(), "-A", from.Login(b), "-p", strconv.Itoa(from.Port), p.option,
				"-c", "get big.msu " + to,
			}, more...)
			return func(ctx context.Context) (sample, error) { return fetch(ctx, to, args) }
		}
		jobs = append(jobs,
			job{"HashFile", p.name, func(ctx context.Context) (sample, error) { return hash(ctx, s, p.share, want) }},
			job{"smbclient get to /dev/null, no hash", p.name, get(s, os.DevNull)},
			job{"smbclient get to a file, no hash", p.name, get(s, copied)},
			job{"smbclient get by 1 MiB to /dev/null, no hash", p.name, get(pieces, os.DevNull)},
		)
		if p.name == "signed" {
			cmac := get(pieces, os.DevNull, "--option=client smb3 signing algorithms=AES-128-CMAC")
			jobs = append(jobs, job{"the same, signed with AES-CMAC as we do", p.name, cmac})
		}
	}
	t.measure(b, jobs)
	t.print(os.Stdout, fmt.Sprintf("one file of %d MiB", bulk>>20))
}

// fetch is a process of smbclient that copies the file to to.
func fetch(ctx context.Context, to string, args []string) (sample, error) {
	m, err := runWatched(exec.CommandContext(ctx, "smbclient", args...), "getting file \\big.msu")
	if err != nil || to == os.DevNull {
		return m, err
	}
	fi, err := os.Stat(to)
	if err == nil && fi.Size() != bulk {
		err = fmt.Errorf("%d bytes arrived", fi.Size())
	}
	return m, errors.Join(err, os.Remove(to))
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

// run is a whole process, its start and its sign-in too. What it prints must contain all of expect.
func run(cmd *exec.Cmd, expect ...string) (sample, error) {
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
	return m, nil
}

// runWatched is run, with the memory that the program had.
func runWatched(cmd *exec.Cmd, expect ...string) (sample, error) {
	peak, err := watched(cmd)
	if err != nil {
		return sample{}, err
	}
	m, err := run(cmd, expect...)
	if err == nil {
		m.peak, err = peak()
	}
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
