package winnode_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"cau/plugins"
)

func written(t *testing.T, change func(*plugins.FileWriteJob)) plugins.Job {
	t.Helper()
	sum := sha256.Sum256([]byte("x"))
	in := plugins.FileWriteJob{Run: "r1", Update: "u1", Path: `d\f`, Offset: 2, SHA256: hex.EncodeToString(sum[:]), Data: []byte("x")}
	change(&in)
	return plugins.Job{ID: "w", Kind: plugins.JobFileWrite, Input: raw(t, in)}
}

func TestFilesAreReadAndWrittenByJobsWhoseAnswersAreChecked(t *testing.T) {
	sum := strings.Repeat("0f", 32)
	got, order, err := ended(t, written(t, func(*plugins.FileWriteJob) {}), `{"size":3,"sha256":"`+sum+`"}`)
	if err != nil || string(got) != `{"size":3,"sha256":"`+sum+`"}` || !strings.Contains(order, `"update":"u1","path":"d\\f","offset":2,"sha256":"2d711642b726b044`) || !strings.Contains(order, `"data":"eA=="`) {
		t.Errorf("%s %s %v", got, order, err)
	}
	read := plugins.Job{ID: "r", Kind: plugins.JobFileRead, Input: raw(t, plugins.FileReadJob{Run: "r1", Path: `C:\f`, Offset: 1})}
	got, order, err = ended(t, read, `{"size":3,"data":"eHk="}`)
	if err != nil || string(got) != `{"size":3,"data":"eHk="}` || order != `{"run":"r1","update":"","path":"C:\\f","offset":1}` {
		t.Errorf("%s %s %v", got, order, err)
	}
	for _, answer := range []string{`{"data":""}`, `{"size":3}`, `{"size":-1,"data":""}`, `{"size":3,"data":"?"}`, `{"size":3,"data":"` + strings.Repeat("AAAA", plugins.MaxFileRead) + `"}`} {
		if got, _, err := ended(t, read, answer); err == nil {
			t.Errorf("a read that answers %.40s is %s", answer, got)
		}
	}
	for _, answer := range []string{`{"size":4,"sha256":"` + sum + `"}`, `{"size":3,"sha256":"x"}`, `{}`} {
		if got, _, err := ended(t, written(t, func(*plugins.FileWriteJob) {}), answer); err == nil {
			t.Errorf("a write that answers %s is %s", answer, got)
		}
	}
}

func TestAPartOfAFileThatIsOutOfBoundsDoesNotLeave(t *testing.T) {
	for name, change := range map[string]func(*plugins.FileWriteJob){
		"no update":       func(in *plugins.FileWriteJob) { in.Update = "" },
		"a folder":        func(in *plugins.FileWriteJob) { in.Update = `u1\..` },
		"another content": func(in *plugins.FileWriteJob) { in.Data = []byte("y") },
		"too much":        func(in *plugins.FileWriteJob) { in.Data = make([]byte, plugins.MaxFileWrite+1) },
		"too far":         func(in *plugins.FileWriteJob) { in.Offset = plugins.MaxFile },
		"before":          func(in *plugins.FileWriteJob) { in.Offset = -1 },
	} {
		if _, order, err := ended(t, written(t, change), `{}`); err == nil || order != "" {
			t.Errorf("%s: it left as %s (%v)", name, order, err)
		}
	}
	for _, in := range []plugins.FileReadJob{{Run: "r1", Update: "..", Path: "f"}, {Run: "r1", Path: `C:\f`, Offset: -1}} {
		if _, order, err := ended(t, plugins.Job{ID: "r", Kind: plugins.JobFileRead, Input: raw(t, in)}, `{}`); err == nil || order != "" {
			t.Errorf("%+v left as %s (%v)", in, order, err)
		}
	}
}
