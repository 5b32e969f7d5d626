package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cau/internal/winnode/agent"
)

var answer = agent.Response{V: 1, OK: true, Data: json.RawMessage(`{"name":"NÖDE","n":1}`), Host: "NODE1", UTC: "2026-11-20T10:00:00.0000000Z"}

func TestAFrameIsFoundInWhateverIsPrintedAroundIt(t *testing.T) {
	frame := agent.EncodeFrame(answer)
	for _, c := range frame {
		if c > '~' {
			t.Fatal("a frame must be ASCII")
		}
	}
	broken := bytes.Replace(frame, []byte(":end#"), []byte(":cut"), 1)
	for name, out := range map[string][]byte{
		"alone":              frame,
		"noise before":       append([]byte("Loading profile... #cau-frame:1:xx:\r\n"), frame...),
		"noise after":        append(bytes.Clone(frame), "\x00\xff drivers talk\r\n"...),
		"after a broken one": append(bytes.Clone(broken), frame...),
		"twice":              append(bytes.Clone(frame), frame...),
		"without line ends":  bytes.TrimSpace(frame),
	} {
		got, err := agent.ParseFrame(out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := cmp.Diff(answer, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestAFrameThatIsCutOrChangedIsAnError(t *testing.T) {
	frame := agent.EncodeFrame(answer)
	for i := range len(frame) - 2 {
		if i < 2 {
			continue // line ends before the frame
		}
		if _, err := agent.ParseFrame(frame[:i]); err == nil {
			t.Fatalf("cut at %d of %d is accepted", i, len(frame))
		}
		changed := bytes.Clone(frame)
		changed[i] ^= 1
		if r, err := agent.ParseFrame(changed); err == nil && !cmp.Equal(r, answer) {
			t.Fatalf("a change at %d is accepted", i)
		}
	}
	if _, err := agent.ParseFrame([]byte("nothing")); !errors.Is(err, agent.ErrNoFrame) {
		t.Errorf("no frame: %v", err)
	}
	for name, r := range map[string]agent.Response{
		"other version":               {V: 2, OK: true},
		"failed without an error":     {V: 1},
		"succeeded and with an error": {V: 1, OK: true, Err: &agent.OpError{Kind: "win32"}},
	} {
		if _, err := agent.ParseFrame(agent.EncodeFrame(r)); !errors.Is(err, agent.ErrBadFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := []byte("#cau-frame:1:999999999:" + strings.Repeat("0", 64) + ":")
	if _, err := agent.ParseFrame(huge); !errors.Is(err, agent.ErrBadFrame) {
		t.Errorf("a huge length: %v", err)
	}
}

func TestR33_ErrorTextIsReadableAndBounded(t *testing.T) {
	clixml := "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">" +
		"<Obj S=\"progress\" RefId=\"0\"><MS><PR N=\"Record\"><AV>Preparing modules</AV></PR></MS></Obj>" +
		"<S S=\"Error\">Get-Thing : no &lt;such&gt; thing_x000D__x000A_</S><S S=\"Error\">At line:1_x000D__x000A_</S></Objs>"
	cut, _, _ := strings.Cut(clixml, "<S S=\"Error\">At")
	for in, want := range map[string]string{
		"":                               "",
		"plain \x1b[31mred\x07 text\r\n": "plain [31mred text",
		clixml:                           "Get-Thing : no <such> thing At line:1",
		"first\r\n" + cut:                "first Get-Thing : no <such> thing",
		"#< CLIXML":                      "",
		"a_x0g0_b":                       "a_x0g0_b",
	} {
		if got := agent.ErrorText([]byte(in)); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
	if got := agent.ErrorText(bytes.Repeat([]byte("x y "), 100_000)); len(got) > 400 {
		t.Errorf("%d characters", len(got))
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(agent.EncodeFrame(answer))
	f.Add([]byte("#cau-frame:1:0:" + strings.Repeat("0", 64) + "::end#"))
	f.Fuzz(func(t *testing.T, out []byte) {
		r, err := agent.ParseFrame(out)
		if err != nil {
			if !errors.Is(err, agent.ErrNoFrame) && !errors.Is(err, agent.ErrBadFrame) {
				t.Errorf("untyped: %v", err)
			}
			return
		}
		again, err := agent.ParseFrame(agent.EncodeFrame(r))
		if err != nil || again.OK != r.OK || again.Host != r.Host {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

func FuzzErrorText(f *testing.F) {
	f.Add([]byte("#< CLIXML\r\n<Objs><S S=\"Error\">x_x000D__x000A_</S></Objs>"))
	f.Fuzz(func(t *testing.T, stderr []byte) {
		s := agent.ErrorText(stderr)
		if len([]rune(s)) > 400 || strings.ContainsAny(s, "\x00\x07\x1b\r\n\u202e") {
			t.Errorf("%q", s)
		}
	})
}
