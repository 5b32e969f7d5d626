// Package rollingupgrade is what there is to say of Microsoft.RollingUpgradePlugin: its arguments, and that no run of cau has it.
//
//	internal/app -> plugins/rollingupgrade -> plugins (the contract)
package rollingupgrade

import (
	"context"
	"errors"
	"strings"

	"cau/internal/fault"
	"cau/plugins"
)

// Name is the plug-in's registered name.
const Name = "Microsoft.RollingUpgradePlugin"

// The arguments, as Azure Local's documentation spells them (upgrade with Invoke-CauRun).
const (
	argConnected = "WuConnected"
	argMedia     = "PathToSetupMedia"
	argLevel     = "UpdateClusterFunctionalLevel"
	argMock      = "MockSetup"
)

// Plugin is known and refused.
type Plugin struct{}

var _ plugins.Refuser = Plugin{}

// Name is Microsoft.RollingUpgradePlugin.
func (Plugin) Name() string { return Name }

// Description is one sentence.
func (Plugin) Description() string {
	return "Upgrades the nodes' operating system one after the other, in Windows Server 2022 and later. cau does not do that."
}

// Options are the documented arguments.
func (Plugin) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{
		{Name: argConnected, Kind: plugins.KindBool, Default: "True", Caption: "From Windows Update", Help: "True takes the new version from Windows Update, False from installation media."},
		{Name: argMedia, Kind: plugins.KindPath, Caption: "Path to the installation media", Help: "A share or a folder on the nodes that holds setup.exe; with MockSetup a script."},
		{Name: argLevel, Kind: plugins.KindBool, Default: "False", Caption: "Raise the cluster functional level", Help: "Raises the cluster's functional level at the end. There is no way back."},
		{Name: argMock, Kind: plugins.KindBool, Default: "False", Caption: "Rehearse", Help: "Drains, restarts and resumes with a script in place of setup."},
	}
}

// Validate says which arguments belong together.
func (Plugin) Validate(args plugins.Arguments) []plugins.ArgumentError {
	media := strings.TrimSpace(args[argMedia]) != ""
	switch {
	case (!args.Bool(argConnected) || args.Bool(argMock)) && !media:
		return []plugins.ArgumentError{{Name: argMedia, Problem: "is missing", Hint: "Without Windows Update, and for a rehearsal, it says where setup or its stand-in is.", Missing: true}}
	case args.Bool(argConnected) && media && !args.Bool(argMock):
		return []plugins.ArgumentError{{Name: argMedia, Problem: "means nothing while " + argConnected + " is True", Hint: "Set " + argConnected + " to False, or leave the path out."}}
	}
	return nil
}

// Refused says what to do instead.
func (Plugin) Refused() error {
	return &fault.Error{
		Op: Name, Err: errors.New("cau installs updates and does not upgrade the operating system"),
		Hint: "Use Invoke-CauRun -CauPluginName " + Name + " -ForceSelfUpdate -Force from a Windows Server 2022 or later outside of the cluster.",
	}
}

// Scan refuses.
func (p Plugin) Scan(context.Context, []string, plugins.Arguments) (plugins.Scan, error) {
	return plugins.Scan{}, p.Refused()
}

// Stage refuses.
func (p Plugin) Stage(context.Context, plugins.Node, plugins.StageRequest, func(plugins.Progress)) (plugins.StageResult, error) {
	return plugins.StageResult{}, p.Refused()
}

// Install refuses, before anything is begun.
func (p Plugin) Install(context.Context, plugins.Node, plugins.InstallRequest, func(plugins.Progress)) (plugins.Result, error) {
	return plugins.Result{Outcome: plugins.UpdateFailed, Refused: true, Cause: fault.CauseOf(p.Refused())}, nil
}

// Remaining is all of it.
func (Plugin) Remaining(planned []plugins.Update, _ map[string]plugins.Result) []plugins.Update {
	return planned
}
