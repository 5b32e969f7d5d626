package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"cau/hotfixcfg"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// HotfixCheck looks at a root with the eyes of the plug-in: what stands in a run's way stands here too.
func (p *program) HotfixCheck(ctx context.Context, req cli.HotfixCheckRequest, note func(string)) (cli.HotfixReport, error) {
	look, _, err := p.openReader(ctx, &req, "check")
	if err != nil {
		return cli.HotfixReport{}, err
	}
	defer look.close()
	plugin := &hotfix.Plugin{Open: look.open, Ask: look.ask}
	args, _ := plugins.Resolve(plugin.Options(), rootArguments(req)) // openReader has refused what is not right
	note(fmt.Sprintf("Reading %s as %s.", req.Root, look.as))
	seen, err := plugin.Look(ctx, req.Nodes, args)
	if err != nil {
		return cli.HotfixReport{}, err
	}
	report := cli.HotfixReport{Root: req.Root, Checks: whole(seen.Checks), Ignored: seen.Ignored, Simulated: look.lab != nil}
	if c := seen.Connection; c != nil {
		report.Connection = &cli.HotfixFacts{Text: connectionText(*c), Raw: raw(c)}
	}
	if s := seen.Server; s != nil {
		report.Server = &cli.HotfixFacts{Text: serverText(*s), Raw: raw(s)}
	}
	return report, nil
}

// openReader finds out who reads or writes a root, and where it is; whoever gets it closes it. Nothing is sent to a file server yet.
func (p *program) openReader(ctx context.Context, req *cli.HotfixCheckRequest, verb string) (*rootReader, smbcheck.Location, error) {
	r, err := p.rootReader(ctx, req)
	if err != nil {
		return nil, smbcheck.Location{}, err
	}
	fail := func(err error) (*rootReader, smbcheck.Location, error) {
		r.close()
		return nil, smbcheck.Location{}, err
	}
	plugin := &hotfix.Plugin{}
	args, problems := plugins.Resolve(plugin.Options(), rootArguments(*req))
	if len(problems) == 0 {
		problems = plugin.Validate(args)
	}
	for _, pr := range problems {
		return fail(cli.Usage(&fault.Error{Op: verb + " " + strconv.Quote(req.Root), Err: fmt.Errorf("%s %s", pr.Name, pr.Problem), Hint: pr.Hint}))
	}
	location, err := smbcheck.ParseUNC(args[argRoot])
	if err != nil {
		return fail(cli.Usage(err))
	}
	if r.who, err = r.signIn(ctx, req.Target); err != nil {
		return fail(err)
	}
	return r, location, nil
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // it holds numbers and names only
		return json.RawMessage("null")
	}
	return b
}

func rootArguments(req cli.HotfixCheckRequest) []plugins.Argument {
	name := req.Config
	if name == "" {
		name = hotfixcfg.DefaultFileName
	}
	return []plugins.Argument{
		{Name: argRoot, Value: req.Root},
		{Name: argConfigName, Value: name},
		{Name: "RequireSMBEncryption", Value: boolWord(req.RequireEncryption)},
		{Name: "DisableAclChecks", Value: boolWord(req.DisableACLChecks)},
	}
}

// boolWord is a truth as PowerShell writes it.
func boolWord(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// rootReader is who reads a root, and how it is reached.
type rootReader struct {
	lab    *lab.Info
	held   *lab.Hold
	access *access
	who    smbcheck.Credentials
	// as is who reads it, for people.
	as  string
	opt smbcheck.Options
}

// rootReader finds the lab that is meant, if any, and fills in its root and nodes. Nothing is sent to a file server yet.
func (p *program) rootReader(ctx context.Context, req *cli.HotfixCheckRequest) (*rootReader, error) {
	r := &rootReader{opt: smbcheck.Options{Port: req.Target.SMBPort, AllowOlder: req.Target.OlderSMB}}
	if !req.Target.Lab {
		return r, nil
	}
	info, held, err := p.useLab(ctx, req.Target)
	if err != nil {
		return nil, err
	}
	r.lab, r.held = &info, held
	if req.Root == "" {
		req.Root = info.Root
	}
	if len(req.Nodes) == 0 {
		for _, n := range info.Nodes {
			req.Nodes = append(req.Nodes, n.Name)
		}
	}
	return r, nil
}

func (r *rootReader) close() {
	r.access.close()
	if r.held != nil {
		_ = r.held.Close()
	}
}

// signIn reads the password, or opens the ticket cache or keytab. A lab says itself who signs in where nobody is named.
func (r *rootReader) signIn(ctx context.Context, target cli.Target) (smbcheck.Credentials, error) {
	sec, err := r.secrets(ctx, target)
	if err != nil {
		return nil, err
	}
	if r.access, err = openAccess(sec); err != nil {
		return nil, cli.Usage(withoutUser(target, sec, err, "an account that may read the root"))
	}
	r.as = r.access.who(sec)
	return named(r.access.share, target.SignIn.SPN), nil
}

func (r *rootReader) secrets(ctx context.Context, target cli.Target) (secrets, error) {
	if r.lab != nil && target.User == "" {
		return labSignIn(*r.lab, target.SignIn.Method)
	}
	sec, err := signInOf(target)
	if err != nil {
		return sec, err
	}
	if r.lab != nil {
		sec.Realm, sec.KDCs = r.lab.Kerberos.Realm, []string{r.lab.Kerberos.KDC}
	}
	return withSecret(ctx, target, sec)
}

// named makes the credential ask for tickets by another name than cifs/<host>.
func named(who smbcheck.Credentials, service string) smbcheck.Credentials {
	switch w := who.(type) {
	case smbcheck.Kerberos:
		w.Service = service
		return w
	case smbcheck.KerberosOrNTLM:
		w.Kerberos.Service = service
		return w
	}
	return who
}

func (r *rootReader) open(ctx context.Context, at smbcheck.Location) (hotfix.Root, error) {
	c, err := smbcheck.Connect(ctx, at, r.who, labOptions(r.opt, r.lab, at))
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (r *rootReader) ask(ctx context.Context, at smbcheck.Location) (smbcheck.ServerFacts, error) {
	return smbcheck.Probe(ctx, at, labOptions(r.opt, r.lab, at))
}

// whole adds the checks of a root that nobody could make, so that none is missing in silence.
func whole(results []check.Result) []check.Result {
	has := func(id string) bool {
		return slices.ContainsFunc(results, func(r check.Result) bool { return r.ID == id })
	}
	var out []check.Result
	for _, c := range check.Catalogue() {
		switch {
		case c.Scope != check.ScopeRoot:
		case has(c.ID):
			for _, r := range results {
				if r.ID == c.ID {
					out = append(out, r)
				}
			}
		case !check.Conditional(c.ID):
			out = append(out, check.Result{ID: c.ID, Outcome: check.CannotVerify, Evidence: "Not looked at: the root could not be read.", Remedy: "See root.reach."})
		}
	}
	return out
}

// connectionText says in one line what was proven and what crossed the wire.
func connectionText(f smbcheck.Facts) string {
	proof := "not proven"
	if f.SetupVerified {
		proof = "proven"
	}
	return fmt.Sprintf("Connection: SMB %s, %s, %s; sent %s, received %s.", f.Dialect, f.Cipher, proof, trafficText(f.Sent), trafficText(f.Received))
}

func trafficText(t smbcheck.Traffic) string {
	return fmt.Sprintf("%d plain, %d signed, %d sealed", t.Plain, t.Signed, t.Sealed)
}

// serverText says in one line what the server says of itself.
func serverText(s smbcheck.ServerFacts) string {
	signing := "does not demand signing"
	if s.SigningRequired {
		signing = "demands signing"
	}
	smb1 := ""
	if s.SMB1 {
		smb1 = ", and still SMB 1"
	}
	return fmt.Sprintf("Server: says that it speaks SMB %s%s; ciphers %s; it %s.", words(s.Dialects), smb1, words(s.Ciphers), signing)
}

func words[T fmt.Stringer](all []T) string {
	text := ""
	for i, x := range all {
		if i > 0 {
			text += ", "
		}
		text += x.String()
	}
	if text == "" {
		return "none"
	}
	return text
}
