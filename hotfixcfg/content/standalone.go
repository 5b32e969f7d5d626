package content

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// maxProperties bounds the text file of properties; real ones have about a kilobyte.
const maxProperties = 64 << 10

// standalone reads an .msu: a cabinet with the update's own cabinets, its description for the update agent, and usually a
// text file of properties whose name ends in pkgProperties.txt (KB 934307). Newer ones are WIM archives, which this does
// not read.
func standalone(r *bounded) (About, error) {
	head := make([]byte, 8)
	if _, err := r.ReadAt(head, 0); err != nil {
		return About{}, errors.New("it is shorter than a cabinet's header")
	}
	if string(head[:5]) == "MSWIM" {
		return About{}, errNotRead
	}
	cab, err := openCabinet(r)
	if err != nil {
		return About{}, err
	}
	inside := About{Source: Names}
	var properties *cabFile
	for i, f := range cab.files {
		if strings.HasSuffix(strings.ToLower(f.name), "pkgproperties.txt") {
			properties = &cab.files[i]
		}
		if about := FromName(f.name); about.KB != "" {
			about.Source = Names
			about.Product = strings.TrimSuffix(about.Product, "-pkgProperties")
			inside = inside.or(about)
		}
	}
	if properties != nil && properties.size <= maxProperties {
		text, err := cab.read(*properties)
		switch {
		case err == nil:
			return packageProperties(text).or(inside), nil
		case !errors.Is(err, errNotRead) && !errors.Is(err, errBounds):
			return About{}, err
		}
	}
	if !inside.Known() {
		return About{}, errNotRead
	}
	return inside, nil
}

// packageProperties reads lines of the form Name="Value".
func packageProperties(b []byte) About {
	about := About{Source: Properties}
	for text := range strings.Lines(text(b)) {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "kb article number":
			about.KB = articleIn("KB" + strings.TrimPrefix(strings.ToUpper(value), "KB"))
		case "processor architecture":
			about.Architecture = architecture(value)
		case "product name":
			about.Product = line(value)
		case "applies to":
			if about.Product == "" {
				about.Product = line(value)
			}
		case "package type":
			about.Title = line(value)
		}
	}
	return about
}

// text decodes UTF-16 with its mark, UTF-8, or single bytes.
func text(b []byte) string {
	if len(b) >= 2 && b[0] == 0xFF && b[1] == 0xFE {
		return decode(b[2:], 1200)
	}
	b = []byte(strings.TrimPrefix(string(b), "\xEF\xBB\xBF"))
	if utf8.Valid(b) {
		return decode(b, 65001)
	}
	return decode(b, 1252)
}

var _ io.ReaderAt = (*bounded)(nil)
