package content

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Source is where a description comes from.
type Source string

// The sources, the best first.
const (
	// Summary is the summary information of a Windows Installer package or patch.
	Summary Source = "summary information"
	// Properties is the text file of properties inside an .msu.
	Properties Source = "package properties"
	// Names are the names of the files inside an .msu.
	Names Source = "names inside"
	// Name is the file's own name.
	Name Source = "file name"
)

// About is what a file says of itself; each part is empty where nothing says it. The parts are single lines of
// printable characters, at most 200 bytes each.
type About struct {
	// KB is the article's number: "KB5031234".
	KB string
	// Product is what it is for: "Windows 10.0", "Contoso Agent".
	Product string
	// Architecture is x64, x86, arm64, arm or ia64.
	Architecture string
	Title        string
	// Source is where the best part comes from; what that does not say may be from the name.
	Source Source
}

// Known tells whether anything is known beyond the file's name.
func (a About) Known() bool {
	return a.KB != "" || a.Product != "" || a.Architecture != "" || a.Title != ""
}

// or fills what a does not say with what other says.
func (a About) or(other About) About {
	return About{
		KB: cmp.Or(a.KB, other.KB), Product: cmp.Or(a.Product, other.Product),
		Architecture: cmp.Or(a.Architecture, other.Architecture), Title: cmp.Or(a.Title, other.Title), Source: a.Source,
	}
}

// ErrFormat says that a file is not what its name's extension says, or is damaged.
var ErrFormat = errors.New("it is not what its extension says, or is damaged")

// errNotRead says that a file is right as far as it was looked at, and that this reader goes no further.
var errNotRead = errors.New("not read any further")

// Read describes the file called name, which has size bytes. What the file itself does not say is from its name;
// an error (ErrFormat, or what file's ReadAt returned) says why nothing is from the file, and the About is still
// good for what the name says. It reads at most a few MiB, in any order.
func Read(name string, file io.ReaderAt, size int64) (About, error) {
	named := FromName(name)
	r := newBounded(file, size)
	var about About
	var err error
	switch extension(name) {
	case "msi", "msp":
		about, err = installer(r)
	case "msu":
		about, err = standalone(r)
	default:
		return named, nil
	}
	switch {
	case r.failed != nil:
		return named, fmt.Errorf("read %s: %w", printable(name), r.failed)
	case errors.Is(err, errNotRead):
		return named, nil
	case err != nil:
		return named, fmt.Errorf("%w: %s", ErrFormat, printable(err.Error()))
	}
	return about.or(named), nil
}

func extension(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}
