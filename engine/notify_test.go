package engine_test

import (
	"testing"

	"cau/engine"
)

func TestPeopleAreToldOfTheWordsThatTheyNamed(t *testing.T) {
	o := engine.DefaultOptions()
	if o.Notifies(engine.NotifyHeld) {
		t.Error("nobody asked")
	}
	o.NotifyOn = []string{"Held", "finished"}
	if !o.Notifies(engine.NotifyHeld) || !o.Notifies(engine.NotifyFinished) || o.Notifies(engine.NotifyStarted) || len(o.Validate(nil)) > 0 {
		t.Errorf("%v", o.Validate(nil))
	}
	o.NotifyOn = []string{"all"}
	for _, w := range engine.NotifyWords() {
		if !o.Notifies(w) {
			t.Errorf("all is not %s", w)
		}
	}
	for _, wrong := range [][]string{{"helt"}, {"held", "HELD"}} {
		o.NotifyOn = wrong
		if p := o.Validate(nil); len(p) != 1 || p[0].Name != "NotifyOn" {
			t.Errorf("%v: %v", wrong, p)
		}
	}
}
