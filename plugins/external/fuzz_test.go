package external

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzMessages reads whatever a plug-in may write: it ends in the end or in an error that says which message, keeps its
// bounds, and what it takes holds them.
func FuzzMessages(f *testing.F) {
	for _, s := range []string{
		`{"type":"describe","protocol":1,"name":"A.B","version":"1","description":"d","options":[{"name":"A","kind":"minutes","min":1,"max":9,"default":"3"}],"capabilities":["script:scan"]}`,
		`{"type":"ask","job":"a","do":"script","script":"Write-Output 'x'","minutes":3}`,
		`{"type":"ask","job":"a","do":"write","path":"d\\f","offset":7,"data":"eA=="}`, `{"type":"ask","job":"a","do":"read","path":"C:\\f"}`,
		`{"type":"ask","job":"a","do":"program","files":[{"path":"f","size":1,"sha256":"00"}],"program":"%X%","parameters":"/q"}`,
		`{"type":"update","id":"u","name":"U","identity":"i","limit_minutes":3,"warnings":["w"],"data":"\u0000"}`,
		`{"type":"result","outcome":"installed","exit_code":-2147483648,"restart_required":true}`,
		`{"type":"progress","message":"\u001b[2J","percent":101}` + "\n" + `{"type":"done"}`,
		`{"type":"validated","problems":[{"name":"n","problem":"p","hint":"h"}]}`, `{"type":"error","reason":"r"}`, `{"type":"ignored","path":"p","reason":"r"}`,
		"\xff\n", "[]\n", "{\n", "\n\n", `{"type":"done"}`, `{"type":"done","x":1}` + "\n",
	} {
		f.Add([]byte(s + "\n"))
	}
	p := &Plugin{}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader(bytes.NewReader(data))
		for n := 1; ; n++ {
			m, err := r.next()
			if errors.Is(err, io.EOF) && !errors.Is(err, ErrProtocol) {
				return
			}
			if err != nil {
				if !errors.Is(err, ErrProtocol) || len(err.Error()) > 2000 {
					t.Fatalf("message %d: %v", n, err)
				}
				return
			}
			switch m := m.(type) {
			case *Declaration:
				if m.check() == nil && (!nameShape.MatchString(m.Name) || reserved(m.Name) || len(m.Options) > maxOptions) {
					t.Fatalf("%+v was taken", m)
				}
			case *updateMessage:
				if u, err := p.pin(m); err == nil && (!updateShape.MatchString(u.ID) || plainText(u.Name) != "" || u.Identity == "") {
					t.Fatalf("%+v was taken", u)
				}
			case *askMessage:
				act, problem := m.act()
				if problem == "" && m.outOfBounds(act) == "" && (act == actWrite || act == actRead) && (strings.ContainsAny(m.Path, `:/`) || strings.Contains(`\`+m.Path+`\`, `\..\`)) {
					t.Fatalf("%q was taken for a path below a folder", m.Path)
				}
			case *errorMessage:
				if s := plainLine(m.Reason); len([]rune(s)) > maxText+1 || plainText("x"+s) != "" && len([]rune(s)) < maxText {
					t.Fatalf("%q is not fit for people", s)
				}
			}
		}
	})
}
