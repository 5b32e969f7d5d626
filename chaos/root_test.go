package chaos_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/lab/model"
	"cau/internal/winnode/agent"
	"cau/smbcheck"
	"cau/smbcheck/descriptor"
)

// unc is where the root is said to be.
const unc = `\\FS1\Hotfixes\Root`

// files are a hotfix root in memory, content by path: this host scans it, and the model's nodes read it.
type files map[string]string

// addUpdate puts an update into a node's folder, or into everybody's with an empty node. It says of itself how its
// installation goes (internal/lab/model, updateMark).
func (f files) addUpdate(node, name string, exit, seconds int) {
	folder := "CAUHotfix_All"
	if node != "" {
		folder = node
	}
	f[folder+`\`+name] = fmt.Sprintf("cau-lab-update\nid=%s-%s\nexit=%d\nseconds=%d\n", node, name, exit, seconds)
}

func newFiles() files {
	return files{hotfixcfg.DefaultFileName: string(hotfixcfg.DefaultXML())}
}

// Open implements model.Shares.
func (f files) Open(_ context.Context, node, root string) (model.Share, agent.Connection, error) {
	if !strings.EqualFold(root, unc) {
		return nil, agent.Connection{}, &model.Win32Error{Code: 53, Text: "The network path was not found."}
	}
	return share(f), agent.Connection{Dialect: "3.1.1", Signed: true, Encrypted: true, Account: model.Domain + `\` + node + "$"}, nil
}

// share is a node's connection to the root.
type share files

func (s share) Open(path string) (io.ReadCloser, error) {
	text, ok := s[path]
	if !ok {
		return nil, &model.Win32Error{Code: 2, Text: "The system cannot find the file specified."}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (s share) Close() {}

// scanned is the root as the plug-in reads it. It implements hotfix.Root.
type scanned files

func (s scanned) Facts() smbcheck.Facts { return smbcheck.Facts{} }

func (s scanned) Enforcement(context.Context) (smbcheck.Enforcement, error) {
	return smbcheck.Enforcement{}, nil
}

func (s scanned) Walk(context.Context, smbcheck.Limits) (smbcheck.Tree, error) {
	d, err := descriptor.ParseSDDL("O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)")
	if err != nil {
		return smbcheck.Tree{}, err
	}
	who := smbcheck.Permissions{Security: d}
	tree := smbcheck.Tree{Root: smbcheck.Entry{Dir: true, Permissions: who}}
	folders := map[string]bool{}
	for _, path := range s.paths() {
		for i, c := range path {
			if c == '\\' && !folders[path[:i]] {
				folders[path[:i]] = true
				tree.Entries = append(tree.Entries, smbcheck.Entry{Path: path[:i], Dir: true, Permissions: who})
			}
		}
		tree.Entries = append(tree.Entries, smbcheck.Entry{Path: path, Size: int64(len(s[path])), Permissions: who})
	}
	return tree, nil
}

func (s scanned) paths() []string {
	var out []string
	for path := range s {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func (s scanned) ReadFile(_ context.Context, path string, _ int64, _ *smbcheck.Entry) ([]byte, error) {
	text, ok := s[path]
	if !ok {
		return nil, errors.New("no such file")
	}
	return []byte(text), nil
}

func (s scanned) HashFile(_ context.Context, path string, _ *smbcheck.Entry) ([32]byte, int64, error) {
	return sha256.Sum256([]byte(s[path])), int64(len(s[path])), nil
}

func (s scanned) Close() error { return nil }
