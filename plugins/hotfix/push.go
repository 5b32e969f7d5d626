package hotfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"cau/internal/fault"
	"cau/plugins"
	"cau/smbcheck"
)

// maxWhole bounds a file that is read as a whole because the root cannot give it in pieces.
const maxWhole = 256 << 20

// push reads the root here and brings the updates' files to the node's push folder, each file once (R24).
func (p *Plugin) push(ctx context.Context, node plugins.Node, req plugins.StageRequest, report func(plugins.Progress)) (plugins.ShareConnection, error) {
	fail := func(err error, hint string) error {
		return &fault.Error{Op: "push the updates", Node: node.Name(), Err: err, Hint: hint}
	}
	pusher, ok := node.(plugins.Pusher)
	if !ok {
		return plugins.ShareConnection{}, fail(errors.New("this node takes no pushed files"), "Choose delivery pull.")
	}
	if p.Open == nil {
		return plugins.ShareConnection{}, fail(errors.New("this process was given no way to read the hotfix root"), "Choose delivery pull.")
	}
	location, err := smbcheck.ParseUNC(req.Source)
	if err != nil {
		return plugins.ShareConnection{}, fail(err, "")
	}
	root, err := p.Open(ctx, location)
	if err != nil {
		return plugins.ShareConnection{}, fail(err, "")
	}
	defer func() { _ = root.Close() }()
	encryption := req.Arguments.Bool(argEncryption)
	if encryption && !passed(smbcheck.Checks(smbcheck.Seen{Facts: root.Facts(), RequireEncryption: true}), "smb.encryption") {
		// R13: not a byte of a file before the connection is known to be encrypted.
		return plugins.ShareConnection{}, fail(fmt.Errorf("this host's connection to %s is not encrypted, and %s asks for it", req.Source, argEncryption), "Require SMB encryption on the file server.")
	}
	sizes := map[string]int64{}
	push := plugins.PushRequest{Run: req.Run}
	for _, u := range req.Updates {
		for _, f := range u.Files {
			if _, twice := sizes[f.Path]; !twice {
				sizes[f.Path] = f.Size
				push.Files = append(push.Files, f)
			}
		}
	}
	push.Open = func(ctx context.Context, path string) (io.ReadCloser, error) {
		size, planned := sizes[path]
		if !planned {
			return nil, fmt.Errorf("%s is not in the plan", path)
		}
		return open(ctx, root, path, size)
	}
	return pusher.Push(ctx, push, report)
}

// open reads a file of the root from its start.
func open(ctx context.Context, root Root, path string, size int64) (io.ReadCloser, error) {
	c, ok := root.(Copier)
	if !ok {
		if size > maxWhole {
			return nil, fmt.Errorf("%s has %d bytes, and this root is read in whole files of at most %d", path, size, maxWhole)
		}
		data, err := root.ReadFile(ctx, path, size, nil)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	s := &stream{PipeReader: reader, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = writer.CloseWithError(c.CopyFile(ctx, path, writer))
	}()
	return s, nil
}

// stream is a file on its way from the root.
type stream struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

// Close ends the reading and waits for its end.
func (s *stream) Close() error {
	s.cancel()
	err := s.PipeReader.Close()
	<-s.done
	return err
}
