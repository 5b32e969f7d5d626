package app

import (
	"context"
	"errors"
	"strconv"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/backend"
)

// WriteConfig writes the configuration file that a hotfix root lacks.
func (w *window) WriteConfig(ctx context.Context, file backend.ConfigFile, note func(string)) (string, error) {
	at, err := checkedRoot(cli.ConfigInitRequest{Root: file.Root, Config: file.Name})
	if err != nil {
		return "", err
	}
	if at == nil {
		return "", &fault.Error{Op: "write into " + strconv.Quote(file.Root), Err: errors.New("it is no share")}
	}
	var names []string
	for _, n := range w.session.view.Nodes {
		names = append(names, n.Name)
	}
	note(w.texts.T(message.WizardAsksNodes, len(names)))
	found, err := w.session.configOf(ctx, names, false)
	if err != nil {
		return "", err
	}
	path := file.Root + `\` + file.Name
	content, words := hotfixcfg.DefaultXML(), w.texts.T(message.WizardWroteDefault, path)
	if found.node != "" {
		content, words = found.content, w.texts.T(message.WizardWroteNode, path, found.node)
	}
	note(w.texts.T(message.WizardWrites, path))
	return words, explained(path, w.session.createAs(ctx, *at, file.Name, content))
}
