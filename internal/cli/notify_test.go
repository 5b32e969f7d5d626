package cli

import (
	"strings"
	"testing"
	"time"
)

func TestATestMessageThatSomeServiceRefusesIsAFailure(t *testing.T) {
	f := &fake{answers: []Delivery{{Service: "smtp"}, {Service: "generic", Refused: "it answered 500 Internal Server Error"}}}
	code, out, _ := do(f, "notify", "test", "--notify-file", "/x")
	if code != ExitFailed || out != "smtp took the message\ngeneric did not: it answered 500 Internal Server Error\n" || strings.Join(f.touched, "|") != "notify /x" {
		t.Errorf("code %d, touched %v\n%s", code, f.touched, out)
	}
	f.answers = f.answers[:1]
	if code, out, _ = do(f, "notify", "test", "--json"); code != ExitOK || out != `[{"service":"smtp"}]`+"\n" {
		t.Errorf("code %d\n%s", code, out)
	}
}

func TestStatusRemarksOnNotificationsThatDidNotArrive(t *testing.T) {
	f := &fake{state: midRun(), alive: true, told: &Notifications{Sent: 3}}
	if _, out, _ := do(f, "status"); strings.Contains(out, "notification") {
		t.Errorf("all arrived\n%s", out)
	}
	f.told = &Notifications{Sent: 1, Failed: 2, Failures: []NotifyFailure{{Time: time.Now(), About: "x", Why: "smtp: the connection was refused"}}}
	if _, out, _ := do(f, "status"); !strings.Contains(out, "! 2 of 3 notifications were not delivered; the last at ") || !strings.Contains(out, "smtp: the connection was refused") {
		t.Errorf("\n%s", out)
	}
	if _, out, _ := do(f, "status", "--json"); !strings.Contains(out, `"notifications":{"sent":1,"failed":2,`) {
		t.Errorf("\n%s", out)
	}
}
