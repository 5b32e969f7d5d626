package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/internal/wsman"
)

// look finds out what an address shows to anybody, step by step, and stops at the first that fails. Nothing of who
// asks is sent.
func (s *session) look(ctx context.Context, address string) []cli.DoctorStep {
	a, err := winnode.ParseAddress(address)
	if err != nil {
		return []cli.DoctorStep{{What: "read the address", Outcome: check.Fail, Saw: err.Error()}}
	}
	var steps []cli.DoctorStep
	if net.ParseIP(a.Host) == nil {
		step := cli.DoctorStep{What: "find " + a.Host, Outcome: check.Pass}
		list, err := wsman.Resolve(ctx, a.Host)
		step.Saw = strings.Join(list, ", ")
		if err != nil {
			step.Outcome, step.Saw, step.Advice = check.Fail, err.Error(), "Check the name, and this host's DNS; --node NAME=ADDRESS names an address by hand."
			return append(steps, step)
		}
		steps = append(steps, step)
	}
	cfg := wsman.Config{Addr: a.HostPort(), Host: a.Host}
	if a.TLS {
		if cfg.TLS, err = tlsConfig(s.secrets); err != nil {
			return append(steps, cli.DoctorStep{What: "read the CA", Outcome: check.Fail, Saw: err.Error()})
		}
		if cfg.TLS == nil {
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	}
	seen, err := wsman.Look(ctx, cfg)
	return append(steps, lookSteps(a, seen, err)...)
}

func lookSteps(a winnode.Address, seen wsman.Probe, err error) []cli.DoctorStep {
	connect := cli.DoctorStep{What: "connect to " + a.String(), Outcome: check.Pass, Saw: "connected to " + seen.Remote}
	if seen.Remote == "" {
		connect.Outcome, connect.Saw = check.Fail, "no connection"
		if err != nil {
			connect.Saw, connect.Advice = err.Error(), wsman.Hint(err)
		}
		return []cli.DoctorStep{connect}
	}
	steps := []cli.DoctorStep{connect}
	if c := seen.Certificate; c != nil {
		steps = append(steps, certificateStep(c, seen.TLS))
	}
	offer := cli.DoctorStep{What: "ask what it offers", Outcome: check.Pass, Saw: strings.Join(seen.Offered, ", ")}
	if seen.Product != "" {
		offer.Saw += " (" + seen.Product + ")"
	}
	switch {
	case err != nil:
		offer.Outcome, offer.Saw, offer.Advice = check.Fail, err.Error(), wsman.Hint(err)
	case len(seen.Offered) == 0:
		offer.Outcome, offer.Saw = check.Fail, "no way to sign in"
	case !a.TLS && offers(seen.Offered, "Basic"):
		offer.Outcome = check.Warn
		offer.Advice = "The listener takes Basic over plain HTTP from whoever uses it; cau never does. Turn it off: winrm set winrm/config/service/auth @{Basic=\"false\"}"
	}
	return append(steps, offer)
}

func offers(list []string, scheme string) bool {
	for _, o := range list {
		if strings.EqualFold(o, scheme) {
			return true
		}
	}
	return false
}

// expiring is how long before its end a certificate is worth a word.
const expiring = 30 * 24 * time.Hour

func certificateStep(c *wsman.Certificate, protocol string) cli.DoctorStep {
	step := cli.DoctorStep{What: "check its certificate", Outcome: check.Pass}
	step.Saw = fmt.Sprintf("%s, %s for %s, issued by %s, valid until %s, key %s",
		protocol, c.Subject, strings.Join(c.Names, " "), c.Issuer, c.NotAfter.UTC().Format(time.DateOnly), c.SPKI)
	switch {
	case c.Problem != nil:
		step.Outcome = check.Fail
		step.Saw += ": " + c.Problem.Error()
		step.Advice = "Give the CA that issued it with --ca-file, or, when you know from elsewhere that this key is the node's, --pin " + c.SPKI + "."
	case time.Until(c.NotAfter) < expiring:
		step.Outcome, step.Advice = check.Warn, "It ends soon; renew it before the run."
	}
	return step
}

// signInStep is what came of signing in.
func signInStep(who string, contact winnode.Contact, err error) cli.DoctorStep {
	step := cli.DoctorStep{What: "sign in as " + who, Outcome: check.Pass, Saw: contact.Negotiated.String()}
	if err == nil {
		return step
	}
	step.Outcome, step.Saw, step.Advice = check.Fail, err.Error(), fault.Hint(err)
	if errors.Is(err, context.Canceled) {
		step.Outcome = check.CannotVerify
	}
	return step
}
