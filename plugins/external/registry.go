package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cau/internal/fault"
)

// Registration is a decision of trust: which executable, as it was then, and what it may do.
type Registration struct {
	File     File        `json:"file"`
	Declared Declaration `json:"declared"`
	// At and By are when and by whom it was registered.
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// Shown is where it lies, by which hash, and what it may do: what Confirmation shows.
func (r *Registration) Shown() string {
	return fmt.Sprintf("%s, SHA-256 %s, may: %s", r.File.Path, r.File.SHA256, r.Declared.may())
}

func (d *Declaration) may() string {
	if len(d.Capabilities) == 0 {
		return "nothing on the nodes"
	}
	words := make([]string, 0, len(d.Capabilities))
	for _, c := range d.Capabilities {
		words = append(words, string(c))
	}
	return strings.Join(words, ", ")
}

// Unchanged looks at the executable again. One that changed is not started.
func (r *Registration) Unchanged() error {
	hint := "If you trust it as it is now, look at it with cau plugin test " + r.File.Path + " and register it again with cau plugin register " + r.File.Path + "."
	now, err := Look(r.File.Path)
	if err != nil {
		return &fault.Error{Op: "start the plug-in " + r.Declared.Name, Err: err, Hint: orText(fault.Hint(err), hint)}
	}
	var changed []string
	for _, c := range []struct{ what, was, is string }{
		{"its path", r.File.Path, now.Path},
		{"its SHA-256", r.File.SHA256, now.SHA256},
		{"its owner", r.File.Owner, now.Owner},
		{"its permissions", r.File.Mode, now.Mode},
	} {
		if c.was != c.is {
			changed = append(changed, fmt.Sprintf("%s was %s and is %s", c.what, c.was, c.is))
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return &fault.Error{Op: "start the plug-in " + r.Declared.Name, Err: fmt.Errorf("%w: it was changed since it was registered: %s", ErrUntrusted, strings.Join(changed, "; ")), Hint: hint}
}

// Inspect looks at an executable and asks it what it is. It is started for that, with nothing to reach.
func Inspect(ctx context.Context, path string, limits Limits) (Registration, error) {
	file, err := Look(path)
	if err != nil {
		return Registration{}, err
	}
	d, err := talk[*Declaration](ctx, file.Path, limits, turn{request: request{Cau: Protocol, Request: "describe"}, most: limits.describe()})
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Registration{File: file}, failure(file.Path, "describe", "", err)
	}
	return Registration{File: file, Declared: *d}, nil
}

// Registry is the folder of registered plug-ins, $CAU_HOME/plugins.
type Registry struct{ Dir string }

// ErrNotRegistered says that there is no plug-in of that name.
var ErrNotRegistered = errors.New("no such plug-in is registered")

const maxRegistration = 1 << 20

// List is what is registered, by name. A registration that cannot be read is an error that names it.
func (r Registry) List() ([]Registration, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the plug-ins: %w", err)
	}
	var out []Registration
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		one, err := r.read(e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Registration) int {
		return strings.Compare(strings.ToLower(a.Declared.Name), strings.ToLower(b.Declared.Name))
	})
	return out, nil
}

func (r Registry) read(file string) (Registration, error) {
	path := filepath.Join(r.Dir, file)
	fail := func(err error) (Registration, error) {
		return Registration{}, &fault.Error{Op: "read the registration " + path, Err: err, Hint: "Remove the file and register the plug-in again."}
	}
	info, err := os.Stat(path)
	if err != nil {
		return fail(err)
	}
	if info.Size() > maxRegistration {
		return fail(fmt.Errorf("it has more than %d bytes", maxRegistration))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	var one Registration
	if err := json.Unmarshal(data, &one); err != nil {
		return fail(err)
	}
	if err := one.Declared.check(); err != nil {
		return fail(err)
	}
	if fileName(one.Declared.Name) != file {
		return fail(fmt.Errorf("it is of the plug-in %s", one.Declared.Name))
	}
	return one, nil
}

// fileName is one for all spellings of a name, which holds letters, digits and dots.
func fileName(name string) string { return strings.ToLower(name) + ".json" }

// Find is the plug-in of that name, without regard to case.
func (r Registry) Find(name string) (Registration, error) {
	all, err := r.List()
	if err != nil {
		return Registration{}, err
	}
	for _, one := range all {
		if strings.EqualFold(one.Declared.Name, name) {
			return one, nil
		}
	}
	return Registration{}, &fault.Error{Op: "find the plug-in " + name, Err: ErrNotRegistered, Hint: "cau plugin list shows what is registered."}
}

// Add registers a plug-in, in the place of an earlier one of its name.
func (r Registry) Add(one Registration) error {
	if err := one.Declared.check(); err != nil {
		return err
	}
	data, err := json.MarshalIndent(one, "", " ")
	if err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	tmp, err := os.CreateTemp(r.Dir, ".new-")
	if err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	_, err = tmp.Write(append(data, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(r.Dir, fileName(one.Declared.Name)))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the registration: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}

// Remove forgets a plug-in and returns what it was. The executable stays. The plug-ins of CAU cannot be removed.
func (r Registry) Remove(name string) (Registration, error) {
	if reserved(name) {
		return Registration{}, &fault.Error{Op: "unregister " + name, Err: errors.New("it is built in"), Hint: "Only plug-ins that cau plugin register added can be unregistered."}
	}
	one, err := r.Find(name)
	if err != nil {
		return Registration{}, err
	}
	if err := os.Remove(filepath.Join(r.Dir, fileName(one.Declared.Name))); err != nil {
		return Registration{}, fmt.Errorf("unregister %s: %w", name, err)
	}
	return one, nil
}
