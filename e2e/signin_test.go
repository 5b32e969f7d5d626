package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/lab"
)

// diagnosis is what doctor says.
func (w *world) diagnosis(code int, args ...string) (cli.DoctorReport, result) {
	w.t.Helper()
	r := w.want(code, append([]string{"doctor", "--json"}, args...)...)
	var d cli.DoctorReport
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		w.t.Fatalf("%v in %s", err, r.out)
	}
	return d, r
}

// step finds what came of something that doctor tried on a node.
func step(d cli.DoctorReport, node, what string) cli.DoctorStep {
	for _, n := range d.Nodes {
		for _, s := range n.Tried {
			if strings.EqualFold(n.Name, node) && strings.HasPrefix(s.What, what) {
				return s
			}
		}
	}
	return cli.DoctorStep{Outcome: "not tried"}
}

func TestR03_DoctorSignsInInEveryWayAndNothingCrossesInClear(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", speed)
	for _, c := range []struct{ auth, who, saw string }{
		{"ntlm", `LAB\admin`, "NTLMv2 (Negotiate), sealed, plain HTTP"},
		{"kerberos", `LAB\admin`, "Kerberos*sealed, plain HTTP"},
		{"certificate", "the certificate's account", "client certificate*TLS 1."},
		{"basic", "Administrator", "Basic*TLS 1.3"},
	} {
		d, r := w.diagnosis(0, "--lab="+info.ID, "--auth", c.auth)
		for _, n := range info.Nodes {
			in := step(d, n.Name, "sign in as "+c.who)
			job := step(d, n.Name, "start a job as SYSTEM")
			read := step(d, n.Name, `read \\FS1\Hotfixes\Root as the computer account`)
			if in.Outcome != check.Pass || !like(c.saw, in.Saw) || job.Outcome != check.Pass || read.Outcome != check.Pass || !like(`as LAB\`+n.Name+"$, signed true", read.Saw) {
				t.Errorf("%s on %s: %+v %+v %+v", c.auth, n.Name, in, job, read)
			}
		}
		for _, secret := range []string{info.Password, info.Accounts[1].Password} {
			if strings.Contains(r.out+r.errOut, secret) {
				t.Errorf("%s: a password is printed", c.auth)
			}
		}
	}
	report := w.inspect(info)
	for name, heard := range report.WinRM {
		if heard.Readable > 0 || heard.Refused > 0 {
			t.Errorf("%s: %d readable bodies, %d logons refused", name, heard.Readable, heard.Refused)
		}
	}
	for _, n := range report.State.Nodes {
		if n.Jobs > 0 || len(n.Pushes) > 0 || n.Boots != 1 {
			t.Errorf("doctor left %d jobs on %s", n.Jobs, n.Name)
		}
	}
}

// asCluster are the flags that reach a lab as if it were a real cluster.
func asCluster(info lab.Info, address func(lab.Node) string) []string {
	list := []string{"--cluster", address(info.Nodes[0])}
	for _, n := range info.Nodes[1:] {
		list = append(list, "--node", n.Name+"="+address(n))
	}
	return list
}

func plain(n lab.Node) string { return n.Address }

func secure(n lab.Node) string { return "https://" + n.HTTPS }

func TestR01_DoctorReachesAClusterOverHTTPSWithItsCAOrAPinnedKey(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", speed)
	as := []string{"--user", info.User, "--password-file", write(t, info.Password+"\n")}
	untrusted, _ := w.diagnosis(3, args([]string{"--no-job"}, asCluster(info, secure), as)...)
	shown := step(untrusted, untrusted.Nodes[0].Name, "check its certificate")
	key := regexp.MustCompile(`--pin ([0-9a-f]{64})`).FindStringSubmatch(shown.Advice)
	if shown.Outcome != check.Fail || !like("signed by unknown authority", shown.Saw) || key == nil {
		t.Fatalf("a listener that nobody vouches for: %+v", untrusted.Nodes)
	}
	for _, heard := range w.inspect(info).WinRM {
		if heard.Logons+heard.Refused > 0 {
			t.Error("the account was shown to a listener that nobody vouches for")
		}
	}
	trusted, _ := w.diagnosis(0, args([]string{"--no-job", "--ca-file", info.CAFile}, asCluster(info, secure), as)...)
	for _, n := range info.Nodes {
		if in := step(trusted, n.Name, "sign in"); in.Outcome != check.Pass || !like("TLS 1.3", in.Saw) {
			t.Errorf("%s: %+v", n.Name, in)
		}
	}
	pinned, _ := w.diagnosis(0, args([]string{"NODE1", "--no-job", "--pin", key[1]}, asCluster(info, secure), as)...)
	if in := step(pinned, "NODE1", "sign in"); in.Outcome != check.Pass {
		t.Errorf("with its key pinned: %+v", pinned.Nodes)
	}
	other := strings.Repeat("0", 64)
	wrong, _ := w.diagnosis(3, args([]string{"NODE1", "--no-job", "--pin", other}, asCluster(info, secure), as)...)
	if in := step(wrong, "NODE1", "sign in"); in.Outcome == check.Pass {
		t.Error("another key is taken for the pinned one")
	}
	byCertificate := []string{"--auth", "certificate", "--cert-file", info.ClientCertificate.CertFile, "--key-file", info.ClientCertificate.KeyFile, "--ca-file", info.CAFile}
	w.diagnosis(0, args([]string{"--no-job"}, asCluster(info, secure), byCertificate)...)
	basic := info.Accounts[1]
	w.diagnosis(0, args([]string{"--no-job", "--auth", "basic", "--user", basic.User, "--password-file", write(t, basic.Password+"\n"), "--ca-file", info.CAFile}, asCluster(info, secure))...)
	if r := w.want(2, args([]string{"doctor", "--auth", "basic", "--user", basic.User, "--password-file", write(t, basic.Password+"\n")}, asCluster(info, plain))...); !like("https://", r.errOut) {
		t.Errorf("Basic without TLS: %s", r.errOut)
	}
}

// A node's address here is no DNS name, so the service's name is given, and is good for that one node.
func TestKerberosWithAKeytabAndWithTicketsOfMITKinit(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", speed)
	k := info.Kerberos
	realm := []string{"--realm", k.Realm, "--kdc", k.KDC, "--spn", "WSMAN/node1.lab.example"}
	check1 := func(how string, more ...string) {
		t.Helper()
		d, _ := w.diagnosis(0, args([]string{"NODE1"}, asCluster(info, plain), realm, more)...)
		if in := step(d, "NODE1", "sign in as admin"); in.Outcome != check.Pass || !like("Kerberos", in.Saw) || step(d, "NODE1", "start a job").Outcome != check.Pass {
			t.Errorf("%s: %+v", how, d.Nodes)
		}
	}
	check1("keytab", "--user", "admin", "--keytab", k.KeytabFile)
	check1("password", "--auth", "kerberos", "--user", "admin", "--password-file", write(t, info.Password+"\n"))
	cache := filepath.Join(t.TempDir(), "cc")
	kinit(t, info, "FILE:"+cache)
	check1("tickets of kinit", "--ccache", "FILE:"+cache)
	check1("tickets of kinit, by path", "--ccache", cache)
	if r := w.want(2, args([]string{"doctor", "--ccache", "KEYRING:persistent:0"}, asCluster(info, plain))...); !like("kinit -c FILE:", r.errOut) {
		t.Errorf("another kind of cache: %s", r.errOut)
	}
	if r := w.want(3, args([]string{"doctor"}, asCluster(info, plain), []string{"--realm", k.Realm, "--kdc", k.KDC, "--ccache", cache})...); !like("an IP address has no service name*--spn WSMAN/", r.out) {
		t.Errorf("without the service's name: %s", r.out)
	}
	if got := w.inspect(info).FailedLogons; got != 0 {
		t.Errorf("%d failed logons", got)
	}
}

// Whoever signs in with tickets has no password for a share: this host reads the root and writes to ADMIN$ by ticket too.
func TestTicketsReadTheRootAndPushTheFilesToo(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", speed)
	w.want(0, apply(info, "--auth", "kerberos", "--delivery", "push")...)
	checkSucceeded(t, w.status())
	report := w.inspect(info)
	checkNodes(t, report)
	if report.FailedLogons != 0 {
		t.Errorf("%d failed logons", report.FailedLogons)
	}
	for _, n := range report.State.Nodes {
		if len(n.Pushes) > 0 {
			t.Errorf("%s still has what was pushed", n.Name)
		}
	}
}

// kinit gets a ticket with MIT's own program.
func kinit(t *testing.T, info lab.Info, cache string) {
	t.Helper()
	path, err := exec.LookPath("kinit")
	if err != nil {
		if os.Getenv("CAU_REQUIRE_SERVERS") != "" {
			t.Fatal("kinit is not installed")
		}
		t.Skip("needs kinit (krb5-user)")
	}
	cmd := exec.CommandContext(t.Context(), path, "-c", cache, "admin@"+info.Kerberos.Realm)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+info.Kerberos.ConfigFile)
	cmd.Stdin = strings.NewReader(info.Password + "\n")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("kinit: %v: %s", err, out.String())
	}
}
