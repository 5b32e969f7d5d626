package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/message"
)

const hookToken = "T0ken-that-nobody-may-see"

// addressesIn writes a file with addresses.
func addressesIn(t *testing.T, mode os.FileMode, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestR04_AFileOfAddressesThatOthersMayReadIsRefused(t *testing.T) {
	path := addressesIn(t, 0o644, "generic+https://127.0.0.1/"+hookToken)
	if _, err := readAddresses(path); err == nil || !strings.Contains(err.Error(), "may be read by others") || strings.Contains(err.Error(), hookToken) {
		t.Errorf("mode 0644: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := readAddresses(path); err != nil || len(got) != 1 {
		t.Errorf("%d addresses, %v", len(got), err)
	}
	if _, err := readAddresses(addressesIn(t, 0o600, "# x", "https://127.0.0.1/"+hookToken)); err == nil || strings.Contains(fmt.Sprintf("%+v %s", err, fault.Hint(err)), hookToken) {
		t.Errorf("%v", err)
	}
}

func TestR04_APlanHoldsTheWordsAndTheFileAndNoAddress(t *testing.T) {
	p := &program{}
	path := addressesIn(t, 0o600, "generic+https://127.0.0.1/"+hookToken)
	o, err := p.notifyOptions(engine.Options{NotifyFile: path})
	if err != nil || len(o.NotifyOn) != 1 || o.NotifyOn[0] != engine.NotifyAll || o.NotifyFile != path || strings.Contains(fmt.Sprintf("%+v", o), hookToken) {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = p.notifyOptions(engine.Options{}); err != nil || o.NotifyOn != nil {
		t.Errorf("nobody is named: %+v, %v", o, err)
	}
	if _, err = p.notifyOptions(engine.Options{NotifyOn: []string{"held"}}); err == nil || !strings.Contains(err.Error(), "nobody to be told") {
		t.Errorf("%v", err)
	}
	if _, err = p.notifyOptions(engine.Options{NotifyFile: path + "x"}); err == nil {
		t.Error("a file that is not there was accepted")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, notifyCredential), []byte("generic+https://127.0.0.1/x\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if o, err = p.notifyOptions(engine.Options{NotifyOn: []string{"held"}}); err != nil || o.NotifyFile != "" || o.NotifyOn[0] != "held" {
		t.Errorf("systemd's credential: %+v, %v", o, err)
	}
}

func TestARunGoesOnWhenNobodyCanBeToldAndThatIsSaid(t *testing.T) {
	var said strings.Builder
	p := &program{streams: cli.Streams{Err: &said}}
	plan := &engine.Plan{Options: engine.Options{NotifyOn: []string{"all"}, NotifyFile: filepath.Join(t.TempDir(), "gone")}}
	got, err := p.addressesFor(plan, "")
	if err != nil || got != nil || !strings.Contains(said.String(), "Nobody will be told") || !strings.Contains(said.String(), "--notify-file") {
		t.Errorf("%v, %v, said %q", got, err, said.String())
	}
	plan.Options.NotifyFile = ""
	said.Reset()
	if got, err = p.addressesFor(plan, ""); err != nil || got != nil || !strings.Contains(said.String(), "no file with addresses is named") {
		t.Errorf("%v, %v, said %q", got, err, said.String())
	}
	if got, err = p.addressesFor(plan, addressesIn(t, 0o600, "ntfy://ntfy/x")); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err = p.addressesFor(plan, filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("a mistake in the flag is no mistake")
	}
	said.Reset()
	if got, err = p.addressesFor(&engine.Plan{}, ""); err != nil || got != nil || said.Len() > 0 {
		t.Errorf("nobody wanted to be told: %v, %v, %q", got, err, said.String())
	}
}

func TestPeopleAreToldWhatHappenedWhyAndWhatToDo(t *testing.T) {
	plan := &engine.Plan{Run: "7f3c0001", Cluster: "CONTOSO-FC1", Options: engine.Options{NotifyOn: []string{"all"}}}
	cause := &fault.Cause{Message: "NODE2: install Update2.msi failed (0x00000643)\x1b[2J", Hint: "Read msi.log."}
	for _, c := range []struct {
		fact engine.Fact
		want string
	}{
		{engine.Fact{Kind: engine.FactRunStarted, Data: engine.FactData{Message: "cau dev"}}, "cau: run 7f3c0001 on CONTOSO-FC1 has started\nMore: cau status 7f3c0001, on adm1."},
		{engine.Fact{Kind: engine.FactNodeEnded, Node: "NODE2", Data: engine.FactData{NodeStatus: engine.NodeFailed, Cause: cause}}, "cau: NODE2 failed in run 7f3c0001 on CONTOSO-FC1\nNODE2: install Update2.msi failed (0x00000643)\ufffd[2J\nWhat to do: Read msi.log.\nMore: cau status 7f3c0001, on adm1."},
		{engine.Fact{Kind: engine.FactNodeEnded, Node: "NODE2", Data: engine.FactData{NodeStatus: engine.NodeHeld, Cause: cause}}, "cau: NODE2 is held in run"},
		{engine.Fact{Kind: engine.FactRunHeld, Data: engine.FactData{Message: "Before NODE3: storage is degraded.", Cause: &fault.Cause{Message: "x", Hint: "Repair it."}}}, "is held until somebody decides\nBefore NODE3: storage is degraded.\nWhat to do: Repair it."},
		{engine.Fact{Kind: engine.FactRunEnded, Data: engine.FactData{RunStatus: engine.RunPartiallyFailed, Cause: cause}}, "has ended: Partially failed\nNODE2: install"},
		{engine.Fact{Kind: engine.FactNodeEnded, Node: "NODE2", Data: engine.FactData{NodeStatus: engine.NodeSucceeded}}, ""},
		{engine.Fact{Kind: engine.FactDrainDone, Node: "NODE2"}, ""},
		{engine.Fact{Kind: engine.FactRunWarned, Data: engine.FactData{Message: "It has taken 03:00:00."}}, "cau: run 7f3c0001 on CONTOSO-FC1 takes long\nIt has taken 03:00:00."},
		{engine.Fact{Kind: engine.FactDiskFull, Data: engine.FactData{Cause: &fault.Cause{Message: "no room", Hint: "Make room."}}}, "begins no further node\nno room\nWhat to do: Make room."},
		{engine.Fact{Kind: engine.FactFollowUpsAsked, Node: "NODE2", Data: engine.FactData{Message: "Not in the preview: u."}}, "asks what to do about updates on NODE2\nNot in the preview: u."},
	} {
		title, text := noticeText(message.Texts{}, plan, "adm1", c.fact)
		if !strings.Contains(text, c.want) || (c.want == "") != (text == "") || !strings.HasPrefix(text, title) || strings.Contains(title, "\n") {
			t.Errorf("%s: title %q, text %q", c.fact.Kind, title, text)
		}
	}
	plan.Options.NotifyOn = []string{"node-failed"}
	if title, _ := noticeText(message.Texts{}, plan, "adm1", engine.Fact{Kind: engine.FactRunEnded}); title != "" {
		t.Errorf("they did not want to hear %q", title)
	}
	plan.Lab = "lab1"
	if title, _ := noticeText(message.Texts{}, plan, "adm1", engine.Fact{Kind: engine.FactNodeEnded, Data: engine.FactData{NodeStatus: engine.NodeFailed}}); !strings.Contains(title, "(simulated)") {
		t.Errorf("a simulated cluster gets somebody up: %q", title)
	}
}

func TestATestMessageSaysWhichServiceTookIt(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
	}))
	defer server.Close()
	path := addressesIn(t, 0o600, "# mine", "generic+"+server.URL+"/"+hookToken)
	answers, err := (&program{}).NotifyTest(t.Context(), path)
	if err != nil || fmt.Sprint(answers) != "[{generic }]" || !strings.Contains(got, "a test message") || !strings.Contains(got, "Nothing has happened") {
		t.Errorf("%v, %v, the service got %q", answers, err, got)
	}
	if _, err := (&program{}).NotifyTest(t.Context(), ""); err == nil || !strings.Contains(fault.Hint(err), "--notify-file") {
		t.Errorf("%v", err)
	}
}
