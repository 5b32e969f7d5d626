package root

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
	"cau/smbcheck/descriptor"
)

// A root as large as anybody will have, every file of it an update: a folder for all nodes and for 49 nodes, in each the
// folders of ten rules, in each of those twenty files. With the configuration file there is one entry more.
const (
	nodes    = 49
	rules    = 10
	together = 20

	folders = (nodes + 1) * (rules + 1)
	files   = (nodes + 1) * rules * together
	entries = folders + files + 1
)

// permissions are what CAU's documentation asks for.
const permissions = "O:BAG:SYD:PARAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"

const lastFile = "KB0009999.msu"

func at(share string) smbcheck.Location {
	return smbcheck.Location{Server: "127.0.0.1", Share: share, Root: "Root"}
}

func nodeName(i int) string { return fmt.Sprintf("NODE%02d", i) }

func nodeFlags() (flags []string) {
	for i := range nodes {
		flags = append(flags, "--node", nodeName(i+1))
	}
	return flags
}

// fileName is the path of a file in the root, by its number.
func fileName(i int) string {
	folder := i / together
	top := "CAUHotfix_All"
	if n := folder / rules; n > 0 {
		top = nodeName(n)
	}
	return fmt.Sprintf(`%s\Rule%d\KB%07d.msu`, top, folder%rules, i)
}

func configuration() string {
	var b strings.Builder
	b.WriteString("<HotfixConfig><DefaultRules><ExtensionRules/></DefaultRules><FolderRules>\n")
	for i := range rules {
		fmt.Fprintf(&b, `<Folder name="Rule%d"><Template path="wusa.exe" parameters="$update$ /quiet /norestart"/><ExitConditions><Success>0</Success></ExitConditions></Folder>`+"\n", i)
	}
	b.WriteString("</FolderRules></HotfixConfig>\n")
	return b.String()
}

// makeTree makes the root's content on this machine.
func makeTree(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	write := func(path, content string) {
		full := filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(path, `\`, "/")))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	write("DefaultHotfixConfig.xml", configuration())
	for i := range files {
		write(fileName(i), fmt.Sprintf("%0100d", i))
	}
	return dir
}

// publish makes the root in a share and lets smbclient bring the content, so that each file inherits its permissions as it
// does from whoever copies updates there.
func publish(tb testing.TB, s *sambatest.Server, share, local string) {
	tb.Helper()
	d, err := descriptor.ParseSDDL(permissions)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.Dir(share), "Root"), 0o755); err != nil {
		tb.Fatal(err)
	}
	top := at(share)
	top.Root = ""
	for _, l := range []smbcheck.Location{top, at(share)} {
		c, err := connect(tb.Context(), s, l)
		if err != nil {
			tb.Fatal(err)
		}
		err = c.SetDescriptor(tb.Context(), "", d)
		_ = c.Close()
		if err != nil {
			tb.Fatal(err)
		}
	}
	cmd := exec.CommandContext(tb.Context(), "smbclient", "//127.0.0.1/"+share, "-s", s.Config(), "-A", s.Login(tb), "-p", strconv.Itoa(s.Port),
		"-D", "Root", "-c", fmt.Sprintf("lcd %s;prompt;recurse;mput *", local))
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("smbclient mput: %v\n%s", err, tail(out))
	}
}

// built is the program, as it is here.
func built(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "cau")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "cau").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func passwordFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "password")
	if err := os.WriteFile(path, []byte(sambatest.Password+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
