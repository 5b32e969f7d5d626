package hotfix_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// onNode is a node that reads what lies in files.
func onNode(files map[string]string, connection plugins.ShareConnection) hotfix.Hasher {
	return func(_ context.Context, _ string, _ bool, paths []string) (hotfix.Hashed, error) {
		out := hotfix.Hashed{Node: "NODE3", Connection: connection}
		for _, p := range paths {
			sum := sha256.Sum256([]byte(files[p]))
			out.Files = append(out.Files, plugins.File{Path: p, Size: int64(len(files[p])), SHA256: hex.EncodeToString(sum[:])})
		}
		return out, nil
	}
}

func hashedScan(t *testing.T, r root, hash hotfix.Hasher) (plugins.Scan, error) {
	t.Helper()
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) { return r, nil }, HashOn: hash}
	args, _ := plugins.Resolve(p.Options(), []plugins.Argument{{Name: "HotfixRootFolderPath", Value: `\\FS1\Hotfixes\Root`}})
	return p.Scan(t.Context(), []string{"NODE1", "NODE2", "NODE3"}, args)
}

func TestR08_HashesOfANodeArePinnedWithItsNameAndNoFileIsReadHere(t *testing.T) {
	t.Parallel()
	signedOne := plugins.ShareConnection{Dialect: "3.1.1", Signed: true}
	files, read := documented(t), 0
	s, err := hashedScan(t, root{facts: signed(), files: files, read: &read}, onNode(files, signedOne))
	if err != nil {
		t.Fatal(err)
	}
	here := scan(t, root{facts: signed(), files: files})
	for node, updates := range s.Updates {
		for i, u := range updates {
			for k, f := range u.Files {
				if want := here.Updates[node][i].Files[k]; f.HashedOn != "NODE3" || f.SHA256 != want.SHA256 || f.Size != want.Size || want.HashedOn != "" {
					t.Errorf("%s: %+v, here %+v", node, f, want)
				}
			}
		}
	}
	if len(s.Updates["NODE2"]) == 0 {
		t.Error("nothing was pinned")
	}
	// A node that reads another size than was listed is no pass (R07).
	other := documented(t)
	other[`CAUHotfix_All\Update1.msu`] = "longer"
	s, err = hashedScan(t, root{facts: signed(), files: files, read: new(int)}, onNode(other, signedOne))
	seen := false
	for _, c := range s.Checks {
		seen = seen || c.ID == "layout" && c.Outcome == check.CannotVerify && strings.Contains(c.Evidence, "listed with 3 bytes, and NODE3 read 6")
	}
	if err != nil || !seen {
		t.Errorf("%v %+v", err, s.Checks)
	}
}

func TestR13_HashesThatCameOverAnUnprotectedConnectionOrMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	files := documented(t)
	fine := plugins.ShareConnection{Dialect: "3.1.1", Encrypted: true}
	bent := func(bend func(*hotfix.Hashed)) hotfix.Hasher {
		return func(ctx context.Context, r string, e bool, paths []string) (hotfix.Hashed, error) {
			out, err := onNode(files, fine)(ctx, r, e, paths)
			bend(&out)
			return out, err
		}
	}
	for says, hash := range map[string]hotfix.Hasher{
		"neither encrypted nor signed": onNode(files, plugins.ShareConnection{Dialect: "3.1.1"}),
		"answered":                     bent(func(h *hotfix.Hashed) { h.Files = h.Files[1:] }),
		"makes no sense":               bent(func(h *hotfix.Hashed) { h.Files[0].SHA256 = "x" }),
		"Update1.msu makes no sense":   bent(func(h *hotfix.Hashed) { h.Files[0].Path, h.Files[1].Path = h.Files[1].Path, h.Files[0].Path }),
		"the node is busy": func(context.Context, string, bool, []string) (hotfix.Hashed, error) {
			return hotfix.Hashed{}, errors.New("the node is busy")
		},
	} {
		if s, err := hashedScan(t, root{facts: signed(), files: files, read: new(int)}, hash); err == nil || !strings.Contains(err.Error(), says) || len(s.Updates) > 0 {
			t.Errorf("%s: %v", says, err)
		}
	}
}
