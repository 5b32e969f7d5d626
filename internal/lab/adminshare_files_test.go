package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/model"
)

// disk keeps push folders as the model does.
type disk struct {
	free  int64
	open  map[string]bool
	files map[string]string // run\name: size sum head
	sizes map[string]int64
}

func newDisk(free int64, runs ...string) *disk {
	d := &disk{free: free, open: map[string]bool{}, files: map[string]string{}, sizes: map[string]int64{}}
	for _, r := range runs {
		d.open[r] = true
	}
	return d
}

func (d *disk) runs() (out []string) {
	for r, open := range d.open {
		if open {
			out = append(out, r)
		}
	}
	return out
}

func (d *disk) PushOpen(run string) bool { return d.open[run] }
func (d *disk) FreeBytes() int64         { return d.free }

func (d *disk) Pushed(run, name string) (int64, string, bool) {
	k := strings.ToLower(run + `\` + name)
	_, ok := d.files[k]
	return d.sizes[k], "", ok
}

func (d *disk) PutPushed(run, name string, size int64, sum string, head []byte) error {
	k := strings.ToLower(run + `\` + name)
	switch {
	case name == "con":
		return &model.Win32Error{Code: 123}
	case !d.open[run]:
		return &model.Win32Error{Code: 3}
	case size > d.free+d.sizes[k]:
		return &model.Win32Error{Code: 112}
	}
	d.free += d.sizes[k] - size
	d.sizes[k], d.files[k] = size, describe(sum, head)
	return nil
}

func describe(sum string, head []byte) string { return fmt.Sprintf("%s %x", sum, head) }

func (d *disk) close(run string) {
	d.open[run] = false
	for k, size := range d.sizes {
		if strings.HasPrefix(k, run+`\`) {
			d.free += size
			delete(d.sizes, k)
			delete(d.files, k)
		}
	}
}

// has tells whether the model was told exactly this content.
func (d *disk) has(run, name string, content []byte) bool {
	sum := sha256.Sum256(content)
	k := strings.ToLower(run + `\` + name)
	return d.sizes[k] == int64(len(content)) && d.files[k] == describe(hex.EncodeToString(sum[:]), content[:min(len(content), 4096)])
}

func pushedTo(d *disk, space *pushSpace) *pushedFiles {
	return newPushedFiles(d, d.runs, func() time.Time { return time.Unix(1, 0) }, space)
}

func TestAPushedFileMovesToTheDiskWhenItGetsLarge(t *testing.T) {
	t.Parallel()
	for name, space := range map[string]*pushSpace{
		"one file": {fileInMemory: 10_000}, "all files": {inMemory: 10_000}, "none": {},
	} {
		space.dir = filepath.Join(t.TempDir(), "pushed")
		d := newDisk(1<<20, "r")
		p := pushedTo(d, space)
		content := bytes.Repeat([]byte("0123456789abcdef"), 2000)
		f, err := p.Create("cau-push/r/a")
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(content); at += 5000 {
			if _, err := f.WriteAt(content[at:min(at+5000, len(content))], int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
		files, _ := os.ReadDir(space.dir)
		if spilled := len(files) == 1; spilled != (name != "none") || !d.has("r", "a", content) {
			t.Errorf("%s: on the disk: %t; the model knows %v", name, spilled, d.sizes)
		}
		f, err = p.Open("cau-push/r/a")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
		// What was cut off does not come back when the file grows again.
		if err := errors.Join(f.Truncate(100), f.Truncate(200)); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil || !d.has("r", "a", append(bytes.Clone(content[:100]), make([]byte, 100)...)) {
			t.Errorf("%s: cut and grown: %v", name, err)
		}
		d.close("r")
		p.sweep()
		if files, _ = os.ReadDir(space.dir); len(files) != 0 || space.used != 0 || p.ahead != 0 {
			t.Errorf("%s: after the folder was closed: %v, %d bytes in memory, %d ahead", name, files, space.used, p.ahead)
		}
	}
}

func TestTheDiskIsFullForWhoPushesWhenItIs(t *testing.T) {
	t.Parallel()
	d := newDisk(1000, "r")
	p := pushedTo(d, &pushSpace{dir: t.TempDir()})
	a, err := p.Create("cau-push/r/a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Create("cau-push/r/b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteAt(make([]byte, 600), 0); err != nil {
		t.Fatal(err)
	}
	if _, free := p.Space(); free != 400 {
		t.Errorf("free while it is written: %d", free)
	}
	if _, err := b.WriteAt(make([]byte, 401), 0); !errors.Is(err, fileserver.ErrDiskFull) {
		t.Errorf("two that do not fit: %v", err)
	}
	if err := b.Truncate(maxPushedFile + 1); !errors.Is(err, fileserver.ErrTooLarge) {
		t.Errorf("larger than any file: %v", err)
	}
	if _, err := b.WriteAt(make([]byte, 400), 0); err != nil {
		t.Error(err)
	}
	if _, err := a.WriteAt(make([]byte, 600), 0); err != nil {
		t.Errorf("over what is there: %v", err)
	}
	d.free -= 100 // something else was faster
	if err := errors.Join(a.Close()); err != nil {
		t.Error(err)
	}
	if err := b.Close(); !errors.Is(err, fileserver.ErrDiskFull) {
		t.Errorf("closed without room: %v", err)
	}
	if err := p.Remove("cau-push/r/b"); err != nil {
		t.Error(err)
	}
	if _, free := p.Space(); free != 300 || p.ahead != 0 {
		t.Errorf("free: %d, %d ahead", free, p.ahead)
	}
}

func TestWhatIsNoPushFolderIsRefused(t *testing.T) {
	t.Parallel()
	d := newDisk(1000, "r")
	p := pushedTo(d, &pushSpace{dir: t.TempDir()})
	for path, want := range map[string]error{
		"a": fs.ErrPermission, "cau-push": fs.ErrPermission, "cau-push/r": fs.ErrPermission, "cau-push/x/a": fs.ErrNotExist, "other/r/a": fs.ErrPermission,
		"cau-push/r/con": fs.ErrInvalid, "cau-push/r/a/b": fs.ErrPermission, ".": fs.ErrPermission,
	} {
		if _, err := p.Create(path); !errors.Is(err, want) {
			t.Errorf("create %s: %v", path, err)
		}
		if _, err := p.Open(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %s: %v", path, err)
		}
	}
	f, err := p.Create("cau-push/r/a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create("cau-push/r/a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("twice: %v", err)
	}
	for to, want := range map[string]error{"a": fs.ErrPermission, "cau-push/x/a": fs.ErrNotExist, "cau-push/r/con": fs.ErrInvalid} {
		if err := p.Rename("cau-push/r/a", to, true); !errors.Is(err, want) {
			t.Errorf("rename to %s: %v", to, err)
		}
	}
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Error(err)
	}
	// The folder goes while somebody writes, and comes again without the file.
	d.close("r")
	d.open["r"] = true
	if _, err := p.Stat("cau-push/r/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the folder was made anew: %v", err)
	}
	if err := f.Close(); err != nil || len(d.files) != 0 || p.ahead != 0 {
		t.Errorf("%v: %v, %d ahead", err, d.files, p.ahead)
	}
}

// Whatever is done, the model knows the files that are there with their content, and the bytes that are ahead of it
// are those of what is still being written.
func TestTheModelKnowsWhatIsThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		const room = 20_000
		d := newDisk(room, "r", "s")
		space := &pushSpace{dir: t.TempDir(), fileInMemory: 3000, inMemory: 5000}
		p := pushedTo(d, space)
		want := map[string][]byte{}
		path := func(label string) string {
			return "cau-push/" + rapid.SampledFrom([]string{"r", "s"}).Draw(r, label+" run") + "/" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, label)
		}
		r.Repeat(map[string]func(*rapid.T){
			"write": func(r *rapid.T) {
				at := path("file")
				f, err := p.Open(at)
				if errors.Is(err, fs.ErrNotExist) {
					f, err = p.Create(at)
				}
				if run := strings.Split(at, "/")[1]; !d.open[run] {
					if !errors.Is(err, fs.ErrNotExist) {
						r.Fatalf("in a closed folder: %v", err)
					}
					return
				}
				if err != nil {
					r.Fatal(err)
				}
				offset := rapid.IntRange(0, 4000).Draw(r, "offset")
				b := bytes.Repeat([]byte{byte(offset)}, rapid.IntRange(1, 3000).Draw(r, "length"))
				content := want[at]
				if more := offset + len(b) - len(content); more > 0 {
					content = append(bytes.Clone(content), make([]byte, more)...)
				}
				if _, err := f.WriteAt(b, int64(offset)); err == nil {
					content = bytes.Clone(content)
					copy(content[offset:], b)
					want[at] = content
				} else if !errors.Is(err, fileserver.ErrDiskFull) || int64(len(content)-len(want[at])) <= d.free {
					r.Fatalf("%v with %d free", err, d.free)
				} else if want[at] == nil {
					want[at] = []byte{}
				}
				if err := f.Close(); err != nil {
					r.Fatal(err)
				}
			},
			"rename": func(r *rapid.T) {
				from, to, replace := path("from"), path("to"), rapid.Bool().Draw(r, "replace")
				if from == to {
					return
				}
				_, there := want[from]
				_, taken := want[to]
				err := p.Rename(from, to, replace)
				if ok := there && d.open[strings.Split(to, "/")[1]] && (!taken || replace); ok != (err == nil) {
					r.Fatalf("%s to %s: %v", from, to, err)
				}
				if err == nil {
					want[to] = want[from]
					delete(want, from)
				}
			},
			"remove": func(r *rapid.T) {
				at := path("file")
				_, there := want[at]
				if err := p.Remove(at); there != (err == nil) {
					r.Fatalf("%s: %v", at, err)
				}
				delete(want, at)
			},
			"close or open the folder": func(r *rapid.T) {
				run := rapid.SampledFrom([]string{"r", "s"}).Draw(r, "run")
				if d.open[run] = !d.open[run]; d.open[run] {
					return
				}
				d.close(run)
				for at := range want {
					if strings.Split(at, "/")[1] == run {
						delete(want, at)
					}
				}
			},
			"": func(r *rapid.T) {
				used := int64(0)
				for at, content := range want {
					parts := strings.Split(at, "/")
					if !d.has(parts[1], parts[2], content) {
						r.Fatalf("the model knows another %s", at)
					}
					info, err := p.Stat(at)
					if err != nil || info.Size() != int64(len(content)) {
						r.Fatalf("%s: %v", at, err)
					}
					used += int64(len(content))
				}
				p.sweep()
				if _, free := p.Space(); free != room-used || d.free != free || p.ahead != 0 {
					r.Fatalf("%d free, the model says %d, %d used, %d ahead", free, d.free, used, p.ahead)
				}
			},
		})
		p.close()
		if left, _ := os.ReadDir(space.dir); len(left) != 0 || space.used != 0 {
			r.Fatalf("left: %v, %d bytes", left, space.used)
		}
	})
}
