package hotfix

import (
	"context"
	"errors"
	"io"

	"cau/hotfixcfg"
	"cau/hotfixcfg/content"
	"cau/plugins"
)

// about asks an update what it is, once however many nodes need it. That it cannot be asked is said and in nobody's way: the
// installer will read the file with its own eyes. An error is the end of ctx alone.
func (s *scan) about(ctx context.Context, u hotfixcfg.Update) (*plugins.About, error) {
	if known, ok := s.abouts[u.Path]; ok {
		return known, nil
	}
	found, err := content.FromName(u.Name), error(nil)
	if files, ok := s.files.(Inspector); ok {
		var inside error
		err = files.InspectFile(ctx, u.Path, s.listed(u.Path), func(file io.ReaderAt, size int64) error {
			found, inside = content.Read(u.Name, file, size)
			if errors.Is(inside, content.ErrFormat) {
				return nil
			}
			return inside
		})
		err = errors.Join(err, inside)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	about := &plugins.About{KB: found.KB, Product: found.Product, Architecture: found.Architecture, Title: found.Title, Source: string(found.Source)}
	if s.madeUp && errors.Is(err, content.ErrFormat) {
		err = nil
	}
	switch {
	case errors.Is(err, content.ErrFormat):
		about.Problem = err.Error()
	case err != nil:
		about.Problem = "it could not be asked: " + cause(err)
	case !found.Known():
		about = nil
	}
	s.abouts[u.Path] = about
	return about, nil
}
