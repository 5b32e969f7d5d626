package kerberos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"

	"cau/internal/fault"
)

const (
	opOpen      = "open the Kerberos credential"
	defaultConf = "/etc/krb5.conf"
)

// Config says who we are, by what secret, and whom to ask. Exactly one of CCache, Keytab and Password is given.
type Config struct {
	// User is the account: "user", or "user@REALM". With Realm given too, a user@suffix whose suffix is another
	// is taken as an Active Directory user principal name. Empty with a cache, whose own principal counts.
	User string
	// Realm is the Kerberos realm, the domain's DNS name in capitals. Default: the one in User, in the cache, or
	// krb5.conf's default_realm.
	Realm string
	// KDCs are Realm's domain controllers, host or host:port; none: krb5.conf, then DNS SRV records.
	KDCs []string
	// ConfigFile is a krb5.conf; empty: $KRB5_CONFIG, or /etc/krb5.conf if it is there.
	ConfigFile string
	// CCache is a FILE cache: "FILE:path", or a path. "default" is $KRB5CCNAME, krb5.conf's default_ccache_name,
	// or FILE:/tmp/krb5cc_<uid>.
	CCache string
	// Keytab is a keytab's path.
	Keytab string
	// Password is kept in memory only, until Close.
	Password string
}

// String shows no secret.
func (c Config) String() string { return "kerberos.Config{}" }

// GoString keeps %#v from printing the secret.
func (c Config) GoString() string { return c.String() }

// Open reads configuration, cache or keytab, and touches no network. Errors are *Error inside a *fault.Error with
// a hint. A cache of another type than FILE is refused with the kinit line that makes one.
func Open(cfg Config) (*Client, error) {
	c, err := open(cfg)
	if err == nil {
		return c, nil
	}
	var hinted *fault.Error
	if errors.As(err, &hinted) {
		return nil, err
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: BadSource, Err: err}
	}
	return nil, failed(opOpen, e)
}

func open(cfg Config) (*Client, error) {
	conf, err := cfg.readConf()
	if err != nil {
		return nil, err
	}
	c := &Client{secret: &secret{}, now: time.Now, turn: make(chan struct{}, 1), tickets: map[string]*ticket{}}
	if c.etypes, err = permittedTypes(conf.permitted); err != nil {
		return nil, err
	}
	if err := cfg.oneSource(); err != nil {
		return nil, err
	}
	switch {
	case cfg.CCache != "":
		err = c.openCache(cfg, conf)
	default:
		if c.who, c.enterprise, err = cfg.principal(conf.defaultRealm); err != nil {
			return nil, err
		}
		c.secret.password = cfg.Password
		if cfg.Keytab != "" {
			err = c.openKeytab(cfg.Keytab)
		}
	}
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{}
	c.kdcs = &directory{realm: c.who.realm, own: cfg.KDCs, conf: conf, dial: dialer.DialContext, resolve: serviceRecords, patience: kdcPatience}
	c.life, c.end = context.WithCancel(context.Background())
	c.startRenewal()
	return c, nil
}

func (cfg Config) oneSource() error {
	given := 0
	for _, s := range []string{cfg.CCache, cfg.Keytab, cfg.Password} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return &fault.Error{
			Op: opOpen, Err: &Error{Kind: BadSource, Err: fmt.Errorf("%d of cache, keytab and password are given", given)},
			Hint: "Give exactly one: a ticket cache, a keytab, or a password.",
		}
	}
	return nil
}

func (cfg Config) readConf() (krb5conf, error) {
	path, asked := cfg.ConfigFile, true
	if path == "" {
		path = os.Getenv("KRB5_CONFIG")
	}
	if path == "" {
		path, asked = defaultConf, false
	}
	conf, err := readConf(path, asked)
	if err != nil {
		return conf, &fault.Error{Op: opOpen, Err: &Error{Kind: BadSource, Err: err}, Hint: "Correct the krb5.conf, or name another one."}
	}
	return conf, nil
}

// principal is who we are by name.
func (cfg Config) principal(defaultRealm string) (p principal, enterprise bool, err error) {
	user, suffix := cfg.User, ""
	if i := strings.LastIndexByte(user, '@'); i >= 0 {
		user, suffix = user[:i], user[i+1:]
	}
	realm := cfg.Realm
	switch {
	case realm == "" && suffix != "":
		realm = suffix
	case realm == "":
		realm = defaultRealm
	case suffix != "" && !strings.EqualFold(suffix, realm):
		user, enterprise = cfg.User, true
	}
	if user == "" || realm == "" || strings.Contains(user, `\`) || strings.ContainsFunc(user+realm, isControl) || len(user)+len(realm) > 512 {
		return p, false, &fault.Error{
			Op: opOpen, Err: &Error{Kind: BadSource, Err: errors.New("the account needs a name and a realm")},
			Hint: "Name the account as user@REALM, the realm being the domain's DNS name: user@CONTOSO.COM.",
		}
	}
	p.realm = strings.ToUpper(realm)
	if enterprise {
		p.name = types.PrincipalName{NameType: nametype.KRB_NT_ENTERPRISE, NameString: []string{user}}
	} else {
		p.name = types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, user)
	}
	return p, enterprise, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// openKeytab takes the account's keys out of a keytab.
func (c *Client) openKeytab(path string) error {
	b, err := readPrivate(path)
	if err != nil {
		return err
	}
	entries, err := parseKeytab(b)
	if err != nil {
		return badFile(path, err, "Make the keytab again (ktutil, or ktpass on Windows).")
	}
	if c.secret.keys, err = newestKeys(entries, c.who); err != nil {
		return badFile(path, err, "List what it holds with klist -ke "+path+", and name the account exactly as there.")
	}
	return nil
}

// openCache finds the cache and reads it.
func (c *Client) openCache(cfg Config, conf krb5conf) error {
	name := cfg.CCache
	if name == "default" {
		if name = os.Getenv("KRB5CCNAME"); name == "" {
			name = conf.cache
		}
		if name == "" {
			name = defaultCache()
		}
	}
	path, err := cachePath(name, cfg.User)
	if err != nil {
		return err
	}
	c.cachePath = path
	t, err := readCache(path)
	if err != nil {
		return err
	}
	if cfg.User != "" {
		if want, enterprise, err := cfg.principal(t.client.realm); err == nil && !enterprise && !want.equal(t.client) {
			return badFile(path, errors.New("the cache belongs to another account"), "Leave the user name out, or name the cache's own (klist -c FILE:"+path+").")
		}
	}
	c.who, c.tgt = t.client, t
	return nil
}

// readCache reads path's ticket-granting ticket.
func readCache(path string) (*ticket, error) {
	b, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	t, err := parseCCache(b)
	if err != nil {
		return nil, badFile(path, err, "Make a new one: kinit -c FILE:"+path)
	}
	if err := t.usable(); err != nil {
		return nil, err
	}
	return t, nil
}

func badFile(path string, err error, hint string) error {
	e := &Error{Kind: BadSource, Err: fmt.Errorf("%s: %w", path, err)}
	var inner *Error
	if errors.As(err, &inner) {
		e.Kind = inner.Kind
	}
	return &fault.Error{Op: opOpen, Err: e, Hint: hint}
}

// defaultCache is where kinit puts a FILE cache.
func defaultCache() string { return "FILE:/tmp/krb5cc_" + strconv.Itoa(os.Getuid()) }

// cachePath admits FILE caches only, with the variables of krb5.conf's default_ccache_name filled in.
func cachePath(name, user string) (string, error) {
	uid := strconv.Itoa(os.Getuid())
	name = strings.NewReplacer("%{uid}", uid, "%{euid}", strconv.Itoa(os.Geteuid()), "%{TEMP}", "/tmp", "%{null}", "").Replace(name)
	kind, path := splitCache(name)
	target := defaultCache()
	if runtime.GOOS == "windows" {
		target = `FILE:%USERPROFILE%\krb5cc`
	}
	line := "kinit -c " + target
	if user != "" && !strings.ContainsFunc(user, func(r rune) bool { return !isPlain(r) }) {
		line += " " + user
	}
	var why string
	switch {
	case kind != "FILE":
		why = "caches of type " + printable(kind, 16) + " cannot be read, only files"
	case path == "" || strings.Contains(path, "%{"):
		why = "the cache's name is not a path"
	default:
		return path, nil
	}
	return "", &fault.Error{
		Op: opOpen, Err: &Error{Kind: BadSource, Err: errors.New(why)},
		Hint: "Make a file cache: " + line + "  and name it: " + target,
	}
}

func isPlain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("@._-/", r)
}
