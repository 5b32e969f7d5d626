package wsman

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/masterzen/winrm"
)

const testID = "7C0E8B52-1B75-4B0B-8D21-5D2B0F0E4002"

func answerOf(action, body string) string {
	return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="` + nsEnvelope + `" xmlns:a="` + nsAddressing + `" xmlns:rsp="` + nsShell + `"><s:Header><a:Action>` + action +
		`</a:Action></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func TestEnvelopesThatASearchCouldMisreadAreRefused(t *testing.T) {
	stream := `<rsp:Stream Name="stdout" CommandId="` + testID + `">aGk=</rsp:Stream>`
	good := answerOf(answerReceive, `<rsp:ReceiveResponse>`+stream+`<rsp:CommandState CommandId="`+testID+`" State="`+stateDone+`"><rsp:ExitCode>7</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>`)
	env, err := readEnvelope([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if size, done, exit, err := env.output(strings.ToLower(testID)); size != 2 || !done || exit != 7 || err != nil {
		t.Fatalf("%d %v %d %v", size, done, exit, err)
	}
	for name, b := range map[string]string{
		"nothing":                  "",
		"blanks":                   " \r\n",
		"cut":                      good[:len(good)-20],
		"HTML":                     "<html><body>no</body></html>",
		"text behind":              good + "x",
		"two envelopes":            good + good,
		"a DTD":                    strings.Replace(good, "<s:Envelope", `<!DOCTYPE x [<!ENTITY e "x">]><s:Envelope`, 1),
		"an unknown entity":        strings.Replace(good, "aGk=", "&e;", 1),
		"a comment":                strings.Replace(good, "aGk=", "aG<!-- -->k=", 1),
		"an instruction":           strings.Replace(good, "aGk=", "<?x y?>", 1),
		"another encoding":         strings.Replace(good, "utf-8", "utf-7", 1),
		"a stream in the header":   strings.Replace(good, "</s:Header>", stream+"</s:Header>", 1),
		"a stream in a stream":     strings.Replace(good, "aGk=", stream, 1),
		"a state elsewhere":        strings.Replace(good, "<s:Body>", `<s:Body State="`+stateDone+`">`, 1),
		"an exit code elsewhere":   strings.Replace(good, "<s:Body>", `<s:Body><rsp:ExitCode>0</rsp:ExitCode>`, 1),
		"two exit codes":           strings.Replace(good, "<rsp:ExitCode>", `<rsp:ExitCode>0</rsp:ExitCode><rsp:ExitCode>`, 1),
		"two actions":              strings.Replace(good, "<a:Action>", `<a:Action>x</a:Action><a:Action>`, 1),
		"an action elsewhere":      strings.Replace(good, "<s:Body>", `<s:Body><a:Action>x</a:Action>`, 1),
		"another envelope version": strings.Replace(good, nsEnvelope, "http://schemas.xmlsoap.org/soap/envelope/", 1),
		"too deep":                 answerOf("x", strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)),
		"too many elements":        answerOf("x", strings.Repeat("<a/>", 9000)),
		"too many attributes":      answerOf("x", "<a "+strings.Repeat(`b="c" `, 40)+"/>"),
		"a NUL":                    strings.Replace(good, "aGk=", "a\x00k=", 1),
	} {
		if env, err := readEnvelope([]byte(b)); err == nil {
			t.Errorf("%s: read as %+v", name, env)
		}
	}
}

func TestAFaultIsReadWithItsCodeAndPrintableWords(t *testing.T) {
	body := answerOf(actionFault, `<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code>`+
		`<s:Reason><s:Text>too&#x9b;31m &#x202e;late</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="`+nsWSManFault+`" Code="2150858793" Machine="x">`+
		`<f:Message><f:ProviderFault provider="p" path="q"><f:WSManFault Code="5"><f:Message>inner
		words</f:Message></f:WSManFault></f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>`)
	f := readFault("Receive", 500, []byte(body))
	if f == nil || f.Code != CodeTimedOut || f.Subcode != "w:TimedOut" || f.Reason != "too 31m late" || f.Message != "inner words" {
		t.Fatalf("%+v", f)
	}
	if f := readFault("x", 500, []byte(answerOf(actionFault, ""))); f == nil || f.Code != 0 {
		t.Fatalf("a fault without a body: %+v", f)
	}
	if f := readFault("x", 500, []byte(answerOf(answerReceive, ""))); f != nil {
		t.Fatalf("no fault: %+v", f)
	}
	if f := readFault("x", 500, []byte(answerOf(actionFault, `<s:Fault><s:Detail><f:WSManFault xmlns:f="`+nsWSManFault+`" Code="-2144108503"/></s:Detail></s:Fault>`))); f == nil || f.Code != CodeTimedOut {
		t.Fatalf("a signed code: %+v", f)
	}
}

func TestMessagesAreWellFormedWhateverTheCommandSays(t *testing.T) {
	m := messages{url: "http://node1:5985/wsman"}
	for _, line := range []string{"echo x", `a]]>b`, `]]>]]>`, `<&>"'`, "]]", "ü😀", "<![CDATA[x]]>"} {
		for _, piped := range []bool{false, true} {
			b, err := m.command(testID, line, piped, 15*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			var in struct {
				Timeout string `xml:"Header>OperationTimeout"`
				ID      string `xml:"Header>MessageID"`
				Size    string `xml:"Header>MaxEnvelopeSize"`
				Options []struct {
					Name  string `xml:",attr"`
					Value string `xml:",chardata"`
				} `xml:"Header>OptionSet>Option"`
				Command string `xml:"Body>CommandLine>Command"`
			}
			if err := xml.Unmarshal(b, &in); err != nil || in.Command != line || in.Timeout != "PT15S" || in.Size != "153600" || !strings.HasPrefix(in.ID, "uuid:") || len(in.ID) != 41 {
				t.Errorf("%q arrives as %+v, %v", line, in, err)
			}
			want := map[bool]string{false: "TRUE", true: "FALSE"}[piped]
			if len(in.Options) != 2 || in.Options[0].Name != "WINRS_CONSOLEMODE_STDIN" || in.Options[0].Value != want {
				t.Errorf("piped %v: %+v", piped, in.Options)
			}
		}
	}
	if got := isoDuration(250 * time.Millisecond); got != "PT0.250S" {
		t.Error(got)
	}
}

func TestR33_PrintableNeverLetsAControlCharacterThrough(t *testing.T) {
	if got := printable("  a\x1b[2J\r\n\tb\u202e\ufeffc  d\xff ", 100); got != "a [2J b c d" {
		t.Fatalf("%q", got)
	}
	if got := printable(strings.Repeat("x", 100), 10); len(got) != 10 {
		t.Fatalf("%q", got)
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, body := range []string{
		`<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="` + testID + `">aGk=</rsp:Stream><rsp:CommandState CommandId="` + testID + `" State="` + stateDone + `"><rsp:ExitCode>7</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>`,
		`<rsp:Shell><rsp:ShellId>` + testID + `</rsp:ShellId></rsp:Shell>`,
		`<rsp:CommandResponse><rsp:CommandId>` + testID + `</rsp:CommandId></rsp:CommandResponse>`,
		`<s:Fault><s:Code><s:Subcode><s:Value>x</s:Value></s:Subcode></s:Code><s:Detail><f:WSManFault xmlns:f="` + nsWSManFault + `" Code="5"><f:Message>m</f:Message></f:WSManFault></s:Detail></s:Fault>`,
	} {
		for _, action := range []string{answerReceive, answerCreate, answerCommand, actionFault} {
			f.Add([]byte(answerOf(action, body)))
		}
	}
	// What passed our guards must not crash the parsers behind them, and both must read the same.
	f.Fuzz(func(t *testing.T, b []byte) {
		env, err := readEnvelope(b)
		if err != nil {
			return
		}
		if env.fault != nil {
			for _, s := range []string{env.fault.Subcode, env.fault.Reason, env.fault.Message} {
				if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
					t.Fatalf("%q is not printable", s)
				}
			}
			return
		}
		_, _ = winrm.ParseOpenShellResponse(string(b))
		_, _ = winrm.ParseExecuteCommandResponse(string(b))
		if env.action != answerReceive {
			return
		}
		size, done, exit, err := env.output(testID)
		if err != nil {
			return
		}
		var stdout, stderr bytes.Buffer
		ended, code, err := winrm.ParseSlurpOutputErrResponse(string(b), &stdout, &stderr)
		if err != nil || ended != done || stdout.Len()+stderr.Len() != size || done && int32(uint32(code)) != exit {
			t.Fatalf("we read %d bytes, done %v, exit %d; they read %d bytes, %v, %d, %v", size, done, exit, stdout.Len()+stderr.Len(), ended, code, err)
		}
	})
}
