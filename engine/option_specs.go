package engine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cau/plugins"
)

// OptionKind is how a run option is written.
type OptionKind string

// The kinds.
const (
	// OptionNumber is a whole number, OptionSwitch is True or False, OptionSpan a TimeSpan.
	OptionNumber OptionKind = "number"
	OptionSwitch OptionKind = "switch"
	OptionSpan   OptionKind = "span"
	// OptionWord is one of a few words, OptionText anything in one line, OptionNames are names with commas between.
	OptionWord  OptionKind = "word"
	OptionText  OptionKind = "text"
	OptionNames OptionKind = "names"
)

// OptionSpec describes one field of Options: flags, the wizard's page and the equivalent command lines are made from it,
// so that an option is either everywhere or nowhere.
type OptionSpec struct {
	// Name is CAU's name, or ours in the same manner; Ours tells which.
	Name string
	Kind OptionKind
	Ours bool
	// Words are the values of an OptionWord.
	Words []string
	// Needs tells whether the option means something with the others; nil means that it always does.
	Needs func(o Options) bool

	get func(o Options) string
	set func(o *Options, text string) error
}

// OptionSpecs are all run options, in the order of the page.
func OptionSpecs() []OptionSpec {
	scripts := func(o Options) bool { return o.PreUpdateScript != "" || o.PostUpdateScript != "" }
	return []OptionSpec{
		maxFailedNodes(),
		number("MaxRetriesPerNode", func(o *Options) *int { return &o.MaxRetriesPerNode }),
		nameList("NodeOrder", func(o *Options) *[]string { return &o.NodeOrder }),
		nameList("SiteAwareUpdatingOrder", func(o *Options) *[]string { return &o.SiteAwareUpdatingOrder }),
		nameList("OnlyNodes", func(o *Options) *[]string { return &o.OnlyNodes }).ours(),
		nameList("SkipNodes", func(o *Options) *[]string { return &o.SkipNodes }).ours(),
		onOff("RequireAllNodesOnline", func(o *Options) *bool { return &o.RequireAllNodesOnline }),
		timeSpan("StopAfter", func(o *Options) *TimeSpan { return &o.StopAfter }),
		timeSpan("WarnAfter", func(o *Options) *TimeSpan { return &o.WarnAfter }),
		text("Window", func(o *Options) *string { return &o.Window }).ours(),
		text("StartNoNodeAfter", func(o *Options) *string { return &o.StartNoNodeAfter }).ours(),
		timeSpan("Soak", func(o *Options) *TimeSpan { return &o.Soak }).ours(),
		text("Gate", func(o *Options) *string { return &o.Gate }).ours(),
		number("GateStatus", func(o *Options) *int { return &o.GateStatus }).ours().with(func(o Options) bool { return strings.HasPrefix(o.Gate, "http") }),
		text("NotifyFile", func(o *Options) *string { return &o.NotifyFile }).ours(),
		nameList("NotifyOn", func(o *Options) *[]string { return &o.NotifyOn }).ours(),
		number("RebootTimeoutMinutes", func(o *Options) *int { return &o.RebootTimeoutMinutes }),
		word("RebootMode", RebootModes(), func(o *Options) *RebootMode { return &o.RebootMode }),
		word("InstallOrder", InstallOrders(), func(o *Options) *InstallOrder { return &o.InstallOrder }).ours(),
		word("FollowUps", FollowUpAnswers(), func(o *Options) *FollowUps { return &o.FollowUps }).ours(),
		onOff("RestartPending", func(o *Options) *bool { return &o.RestartPending }).ours(),
		number("DrainTimeoutMinutes", func(o *Options) *int { return &o.DrainTimeoutMinutes }).ours(),
		number("SuspendClusterNodeTimeoutMinutes", func(o *Options) *int { return &o.SuspendClusterNodeTimeoutMinutes }),
		number("SuspendRetriesPerNode", func(o *Options) *int { return &o.SuspendRetriesPerNode }),
		number("WaitForStorageRepairTimeoutMinutes", func(o *Options) *int { return &o.WaitForStorageRepairTimeoutMinutes }),
		word("FailbackMode", FailbackModes(), func(o *Options) *FailbackMode { return &o.FailbackMode }),
		onOff("ForcePauseAndDrain", func(o *Options) *bool { return &o.ForcePauseAndDrain }),
		onOff("ForcePauseNoDrain", func(o *Options) *bool { return &o.ForcePauseNoDrain }),
		onOff("ForcePauseDrainAndReboot", func(o *Options) *bool { return &o.ForcePauseDrainAndReboot }),
		text("Outage", func(o *Options) *string { return &o.Outage }).ours().with(Options.forced),
		onOff("SeparateReboots", func(o *Options) *bool { return &o.SeparateReboots }),
		onOff("RunPluginsSerially", func(o *Options) *bool { return &o.RunPluginsSerially }),
		onOff("StopOnPluginFailure", func(o *Options) *bool { return &o.StopOnPluginFailure }),
		number("StageNodesAtOnce", func(o *Options) *int { return &o.StageNodesAtOnce }).ours(),
		text("PreUpdateScript", func(o *Options) *string { return &o.PreUpdateScript }),
		text("PostUpdateScript", func(o *Options) *string { return &o.PostUpdateScript }),
		word("ScriptAs", ScriptAccounts(), func(o *Options) *ScriptAs { return &o.ScriptAs }).ours().with(scripts),
		number("ScriptTimeoutMinutes", func(o *Options) *int { return &o.ScriptTimeoutMinutes }).ours().with(scripts),
		word("SignaturePolicy", SignaturePolicies(), func(o *Options) *plugins.SignaturePolicy { return &o.SignaturePolicy }).ours(),
		word("HashAt", HashPlaces(), func(o *Options) *HashAt { return &o.HashAt }).ours(),
		word("Delivery", Deliveries(), func(o *Options) *plugins.Delivery { return &o.Delivery }).ours(),
	}
}

// Value is the option as it is written; empty where it is not set.
func (s OptionSpec) Value(o Options) string { return s.get(o) }

// Set reads the option from text. It says what is wrong with the writing; what the value may be is for Validate.
func (s OptionSpec) Set(o *Options, text string) error { return s.set(o, text) }

// Usual tells whether the option stands at its default.
func (s OptionSpec) Usual(o Options) bool { return s.get(o) == s.get(DefaultOptions()) }

// UnusualOptions are those that do not stand at their default, as "Name value" in the order of the page, but for what a
// plan says in words of its own: the failure budget, attempts, scripts, signatures and deliveries.
func UnusualOptions(o Options) []string {
	inWords := []string{"MaxFailedNodes", "MaxRetriesPerNode", "PreUpdateScript", "PostUpdateScript", "ScriptAs", "ScriptTimeoutMinutes", "SignaturePolicy", "Delivery"}
	var out []string
	for _, s := range OptionSpecs() {
		if s.Value(o) != "" && !s.Usual(o) && !slices.Contains(inWords, s.Name) {
			out = append(out, s.Name+" "+s.Value(o))
		}
	}
	return out
}

// Flag is the option's name on a command line: "max-failed-nodes".
func (s OptionSpec) Flag() string { return FlagName(s.Name) }

// FlagName is a parameter's name on a command line: "MaxFailedNodes" is "max-failed-nodes".
func FlagName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (s OptionSpec) ours() OptionSpec {
	s.Ours = true
	return s
}

func (s OptionSpec) with(needs func(Options) bool) OptionSpec {
	s.Needs = needs
	return s
}

var errNotANumber = errors.New("is not a whole number")

func number(name string, at func(*Options) *int) OptionSpec {
	return OptionSpec{
		Name: name, Kind: OptionNumber,
		get: func(o Options) string { return strconv.Itoa(*at(&o)) },
		set: func(o *Options, text string) error {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return errNotANumber
			}
			*at(o) = n
			return nil
		},
	}
}

// maxFailedNodes is a number that has no default of its own: that depends on the cluster's size.
func maxFailedNodes() OptionSpec {
	return OptionSpec{
		Name: "MaxFailedNodes", Kind: OptionNumber,
		get: func(o Options) string {
			if o.MaxFailedNodes == nil {
				return ""
			}
			return strconv.Itoa(*o.MaxFailedNodes)
		},
		set: func(o *Options, text string) error {
			if strings.TrimSpace(text) == "" {
				o.MaxFailedNodes = nil
				return nil
			}
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return errNotANumber
			}
			o.MaxFailedNodes = &n
			return nil
		},
	}
}

func onOff(name string, at func(*Options) *bool) OptionSpec {
	return OptionSpec{
		Name: name, Kind: OptionSwitch,
		get: func(o Options) string {
			if *at(&o) {
				return "True"
			}
			return "False"
		},
		set: func(o *Options, text string) error {
			switch strings.ToLower(strings.TrimSpace(text)) {
			case "true", "$true", "1":
				*at(o) = true
			case "false", "$false", "0", "":
				*at(o) = false
			default:
				return fmt.Errorf("is %q; it takes True or False", text)
			}
			return nil
		},
	}
}

func timeSpan(name string, at func(*Options) *TimeSpan) OptionSpec {
	return OptionSpec{
		Name: name, Kind: OptionSpan,
		get: func(o Options) string {
			if *at(&o) == 0 {
				return ""
			}
			return at(&o).String()
		},
		set: func(o *Options, text string) error {
			if strings.TrimSpace(text) == "" {
				*at(o) = 0
				return nil
			}
			s, err := ParseTimeSpan(text)
			if err != nil {
				return errors.New("takes hh:mm:ss, a number of minutes, or 1h30m")
			}
			*at(o) = s
			return nil
		},
	}
}

// word keeps a value that is none of the words as it was written: Validate says why it is not taken.
func word[T ~string](name string, words []T, at func(*Options) *T) OptionSpec {
	s := OptionSpec{
		Name: name, Kind: OptionWord,
		get: func(o Options) string { return string(*at(&o)) },
		set: func(o *Options, text string) error {
			*at(o) = T(strings.TrimSpace(text))
			if i := slices.IndexFunc(words, func(w T) bool { return strings.EqualFold(string(w), string(*at(o))) }); i >= 0 {
				*at(o) = words[i]
			}
			return nil
		},
	}
	for _, w := range words {
		s.Words = append(s.Words, string(w))
	}
	return s
}

func text(name string, at func(*Options) *string) OptionSpec {
	return OptionSpec{
		Name: name, Kind: OptionText,
		get: func(o Options) string { return *at(&o) },
		set: func(o *Options, text string) error {
			*at(o) = strings.TrimSpace(text)
			return nil
		},
	}
}

// nameList takes commas and semicolons between names, which may hold spaces.
func nameList(name string, at func(*Options) *[]string) OptionSpec {
	return OptionSpec{
		Name: name, Kind: OptionNames,
		get: func(o Options) string { return strings.Join(*at(&o), ",") },
		set: func(o *Options, text string) error {
			*at(o) = nil
			for _, n := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' }) {
				if n = strings.TrimSpace(n); n != "" {
					*at(o) = append(*at(o), n)
				}
			}
			return nil
		},
	}
}
