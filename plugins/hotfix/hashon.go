package hotfix

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// Hashed are files of a root as one node read them.
type Hashed struct {
	// Node is which.
	Node string
	// Connection is what the node says about its connection to the root.
	Connection plugins.ShareConnection
	Files      []plugins.File
}

// Hasher lets a node compute the SHA-256 of files of a root, given by their paths below it, over its own connection.
type Hasher func(ctx context.Context, root string, requireEncryption bool, paths []string) (Hashed, error)

// hashOnNode has every file of the plan hashed on a node, in one job, before anything is pinned (R08). What it says is only a
// promise until staging: each node compares what it reads with it. A file whose size is not the one that was listed is no pass.
func (s *scan) hashOnNode(ctx context.Context, hash Hasher) error {
	var paths []string
	seen := map[string]bool{}
	for _, node := range s.nodes {
		for _, u := range s.layout.For(node) {
			for _, path := range append([]string{u.Path}, u.Companions...) {
				if !seen[path] {
					seen[path] = true
					paths = append(paths, path)
				}
			}
		}
	}
	if len(paths) == 0 {
		return nil
	}
	got, err := hash(ctx, s.args[argRoot], s.args.Bool(argEncryption), paths)
	if err != nil {
		return err
	}
	if err := protected(got.Connection, s.args.Bool(argEncryption), "hash "+s.args[argRoot], got.Node); err != nil {
		return err
	}
	if len(got.Files) != len(paths) {
		return s.unhashed(got.Node, fmt.Errorf("%d files were asked for and %d answered", len(paths), len(got.Files)))
	}
	shape := regexp.MustCompile(`^[0-9a-f]{64}$`)
	for i, f := range got.Files {
		if !strings.EqualFold(f.Path, paths[i]) || f.Size < 0 || !shape.MatchString(f.SHA256) {
			return s.unhashed(got.Node, errors.New("the answer for "+paths[i]+" makes no sense"))
		}
		if listed := s.listed(paths[i]); listed != nil && listed.Size != f.Size {
			s.add(check.Result{
				ID: "layout", Outcome: check.CannotVerify, Subject: paths[i],
				Evidence: fmt.Sprintf("It was listed with %d bytes, and %s read %d.", listed.Size, got.Node, f.Size), Remedy: "Let whoever copies files there finish, then check again.",
			})
		}
		s.hashes[paths[i]] = plugins.File{Path: paths[i], Size: f.Size, SHA256: f.SHA256, HashedOn: got.Node}
	}
	return nil
}

func (s *scan) unhashed(node string, err error) error {
	return &fault.Error{Op: "hash " + s.args[argRoot], Node: node, Err: err, Hint: "Have this host compute the hashes: leave --hash-at out."}
}
