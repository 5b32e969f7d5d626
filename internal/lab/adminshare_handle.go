package lab

import "cau/internal/lab/fileserver"

// pushedHandle is one use of a file. It implements fileserver.File.
type pushedHandle struct {
	p *pushedFiles
	f *pushedFile
}

// ReadAt implements fileserver.File.
func (h *pushedHandle) ReadAt(b []byte, at int64) (int, error) {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	return h.f.content.ReadAt(b, at)
}

// WriteAt implements fileserver.File.
func (h *pushedHandle) WriteAt(b []byte, at int64) (int, error) {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	if err := h.p.room(h.f, at+int64(len(b))); err != nil {
		return 0, err
	}
	before := h.f.content.size()
	n, err := h.f.content.WriteAt(b, at)
	h.p.wrote(h.f, before)
	return n, err
}

// Truncate implements fileserver.File.
func (h *pushedHandle) Truncate(size int64) error {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	if err := h.p.room(h.f, size); err != nil {
		return err
	}
	before := h.f.content.size()
	err := h.f.content.resize(size)
	h.p.wrote(h.f, before)
	return err
}

// room tells whether a file can become so large.
func (p *pushedFiles) room(f *pushedFile, size int64) error {
	more := size - f.content.size()
	switch {
	case more <= 0:
		return nil
	case size > maxPushedFile:
		return fileserver.ErrTooLarge
	case p.ahead+more > p.node.FreeBytes():
		return fileserver.ErrDiskFull
	}
	return nil
}

// wrote notes what a write did, also one that failed half-way.
func (p *pushedFiles) wrote(f *pushedFile, before int64) {
	p.ahead += f.content.size() - before
	f.changed, f.modified = true, p.now()
}

// Sync implements fileserver.File. The content is as safe as the lab itself, which forgets it when it ends.
func (h *pushedHandle) Sync() error { return nil }

// Close implements fileserver.File: the model is told what was written.
func (h *pushedHandle) Close() error {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	h.f.users--
	defer h.p.release(h.f)
	if !h.f.changed || h.f.gone {
		return nil
	}
	return h.p.arrive(h.f)
}
