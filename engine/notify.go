package engine

import (
	"fmt"
	"slices"
	"strings"
)

// The words of Options.NotifyOn: what people may be told of.
const (
	NotifyStarted    = "started"
	NotifyWarned     = "warned"
	NotifyNodeFailed = "node-failed"
	NotifyHeld       = "held"
	NotifyFinished   = "finished"
	// NotifyAll is all of them.
	NotifyAll = "all"
)

// NotifyWords are the words that Options.NotifyOn takes.
func NotifyWords() []string {
	return []string{NotifyStarted, NotifyWarned, NotifyNodeFailed, NotifyHeld, NotifyFinished, NotifyAll}
}

// Notifies tells whether people want to be told of what the word stands for.
func (o Options) Notifies(word string) bool {
	return slices.ContainsFunc(o.NotifyOn, func(w string) bool { return strings.EqualFold(w, word) || strings.EqualFold(w, NotifyAll) })
}

func (o Options) notifyWords() []OptionError {
	for i, w := range o.NotifyOn {
		switch {
		case !names(NotifyWords(), w):
			return []OptionError{{"NotifyOn", fmt.Sprintf("is %q; it takes %s", w, strings.Join(NotifyWords(), ", "))}}
		case names(o.NotifyOn[:i], w):
			return []OptionError{{"NotifyOn", "names " + w + " twice"}}
		}
	}
	return nil
}
