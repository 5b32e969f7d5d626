package hotfixcfg

import "fmt"

// Reason is why something in the root is not an update. The values are stable ids.
type Reason string

// The reasons.
const (
	// OutsideFolders is a file beside the configuration file.
	OutsideFolders Reason = "outside-folders"
	// NotANode is a folder that is neither CAUHotfix_All nor a node's name.
	NotANode Reason = "not-a-node"
	// NoExtensionRule is a file whose extension no rule names.
	NoExtensionRule Reason = "no-extension-rule"
	// NoFolderRule is a sub-folder that no rule names.
	NoFolderRule Reason = "no-folder-rule"
	// NoSuchFolder is a folder rule whose folder is nowhere. Path is the rule's name.
	NoSuchFolder Reason = "no-such-folder"
	// TooDeep is a folder inside a rule's folder. Its files are staged as companions, but not run.
	TooDeep Reason = "too-deep"
	// Empty is a file of zero length.
	Empty Reason = "empty"
	// ReparsePoint is a link or junction; what it leads to is not looked at.
	ReparsePoint Reason = "reparse-point"
	// Duplicate is a second file of one name for one node; Other is the one that is installed.
	Duplicate Reason = "duplicate"
)

// Ignored is something that CAU passes over silently.
type Ignored struct {
	// Path is relative to the root, with backslashes.
	Path   string `json:"path"`
	Reason Reason `json:"reason"`
	// DidYouMean is the name or path that was probably meant, or "".
	DidYouMean string `json:"did_you_mean,omitempty"`
	// Other is the path of the file that a Duplicate repeats.
	Other string `json:"other,omitempty"`
	// Files counts the files below an ignored folder.
	Files int `json:"files,omitempty"`
}

// Because is the reason in English, without the path and without what was probably meant.
func (i Ignored) Because() string {
	s := i.Reason.text()
	if i.Other != "" {
		s += " as " + i.Other
	}
	if i.Files > 0 {
		s += fmt.Sprintf(" (files in it: %d)", i.Files)
	}
	return s
}

// String is one English line.
func (i Ignored) String() string {
	s := i.Path + ": " + i.Because()
	if i.DidYouMean != "" {
		s += "; did you mean " + i.DidYouMean + "?"
	}
	return s
}

func (r Reason) text() string {
	switch r {
	case OutsideFolders:
		return "a file outside " + AllNodes + " and the node folders"
	case NotANode:
		return "neither " + AllNodes + " nor the name of a node"
	case NoExtensionRule:
		return "no rule for this extension"
	case NoFolderRule:
		return "no folder rule of this name"
	case NoSuchFolder:
		return "a folder rule without a folder"
	case TooDeep:
		return "deeper than the structure goes; staged with the folder's updates, but not run"
	case Empty:
		return "zero length"
	case ReparsePoint:
		return "a link or junction"
	case Duplicate:
		return "the same file name for the same node"
	default:
		return string(r)
	}
}
