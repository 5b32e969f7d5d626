package wizard

import (
	"context"
	"strings"

	"cau/internal/check"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/page"
)

// writeKey is the field that has the missing configuration file written.
const writeKey = "write-config"

// The arguments that say which configuration file a plug-in reads.
const (
	argRoot   = "HotfixRootFolderPath"
	argConfig = "HotfixConfigFileName"
)

// missingConfig is the configuration file that the plan's hotfix root lacks. Where several roots are read nobody is asked: a
// check does not say in which of them the file is missing.
func (w *Wizard) missingConfig() (backend.ConfigFile, bool) {
	var file backend.ConfigFile
	for _, r := range w.plan.Checks {
		if r.ID == "config.present" && r.Outcome == check.Fail {
			file.Name = r.Subject
		}
	}
	for place := range w.chosen() {
		args, err := w.argumentsOf(place)
		if err != nil || args[argRoot] == "" {
			continue
		}
		if file.Root != "" {
			return backend.ConfigFile{}, false
		}
		file.Root = args[argRoot]
		if file.Name != "" && args[argConfig] != "" && !strings.EqualFold(args[argConfig], file.Name) {
			return backend.ConfigFile{}, false
		}
	}
	return file, file.Root != "" && file.Name != ""
}

// offerConfig offers to write the file that is missing; once that is wanted, it is what the page's way forward does.
func (w *Wizard) offerConfig(p *page.Page) {
	if w.wrote != "" {
		p.Lines = append([]page.Line{{Tone: page.Good, Text: w.wrote}}, p.Lines...)
	}
	file, ok := w.missingConfig()
	if !ok {
		return
	}
	p.Fields = append([]page.Field{{
		Key: writeKey, Kind: page.Bool, Caption: w.texts.T(message.WizardWriteConfig, message.Clean(file.Name)),
		Help: w.texts.T(message.WizardWriteConfigHelp, message.Clean(file.Root)), Value: truth(w.writes),
	}}, p.Fields...)
	if p.Blocked != "" {
		p.Blocked = w.texts.T(message.WizardConfigLacks)
	}
	if w.writes {
		p.Blocked, p.Next = "", w.texts.T(message.WizardWrite)
	}
}

// write writes the file and makes the checks again. Nothing is written over: a file that appeared meanwhile is an error.
func (w *Wizard) write(ctx context.Context, note func(string)) error {
	file, ok := w.missingConfig()
	if ok {
		wrote, err := w.services.WriteConfig(ctx, file, note)
		if err != nil {
			return err
		}
		w.wrote = message.Clean(wrote)
	}
	w.plan, w.writes, w.writing = nil, false, false
	return w.scan(ctx, note)
}
