package engine

import (
	"fmt"
	"slices"
	"strings"
)

// Standing is what happens here with a parameter of Invoke-CauRun.
type Standing string

// Every parameter has exactly one of them.
const (
	// Obeyed: it does here what it does there.
	Obeyed Standing = "obeyed"
	// NotNeeded: it is accepted and changes nothing, and the reason is shown.
	NotNeeded Standing = "not needed here"
	// Refused: it is an error, with the reason and what to use instead.
	Refused Standing = "refused"
)

// Parameter is one parameter of Invoke-CauRun.
type Parameter struct {
	// Name is as Invoke-CauRun spells it (Windows PowerShell documentation, ClusterAwareUpdating module).
	Name     string
	Standing Standing
	// As is how it is said here where that is not an option of the same name: "--plugin".
	As string
	// Reason is why it is not needed or refused, Instead what to use; sentences for people.
	Reason, Instead string
	// Switch: it takes no value.
	Switch bool
}

// Parameters are all parameters of Invoke-CauRun but the common ones of PowerShell.
func Parameters() []Parameter {
	obeyed := func(name string) Parameter { return Parameter{Name: name, Standing: Obeyed} }
	as := func(name, flag string) Parameter { return Parameter{Name: name, Standing: Obeyed, As: flag} }
	refused := func(name, reason, instead string) Parameter {
		return Parameter{Name: name, Standing: Refused, Reason: reason, Instead: instead, Switch: true}
	}
	return []Parameter{
		as("ClusterName", "--cluster"), as("Credential", "--user"), as("CauPluginName", "--plugin"), as("CauPluginArguments", "--arg"),
		obeyed("MaxFailedNodes"), obeyed("MaxRetriesPerNode"), obeyed("NodeOrder"), obeyed("SiteAwareUpdatingOrder"),
		obeyed("PreUpdateScript"), obeyed("PostUpdateScript"), obeyed("RequireAllNodesOnline"), obeyed("WarnAfter"), obeyed("StopAfter"),
		obeyed("RebootTimeoutMinutes"), obeyed("RebootMode"), obeyed("SeparateReboots"), obeyed("RunPluginsSerially"), obeyed("StopOnPluginFailure"),
		obeyed("FailbackMode"), obeyed("SuspendClusterNodeTimeoutMinutes"), obeyed("SuspendRetriesPerNode"), obeyed("WaitForStorageRepairTimeoutMinutes"),
		obeyed("ForcePauseAndDrain"), obeyed("ForcePauseNoDrain"), obeyed("ForcePauseDrainAndReboot"), as("Force", "--yes"),
		as("SuspendNode", "cau hold RUN NODE"), as("ResumeNode", "cau release RUN NODE"), as("WhatIf", "cau preview"), as("Confirm", "cau apply without --yes"),
		{Name: "EnableFirewallRules", Standing: NotNeeded, Switch: true, Reason: "It opens the Remote Shutdown rules, and cau asks a node to restart from within, over WinRM."},
		{
			Name: "ConfigurationName", Standing: Refused, Reason: "Scripts run in a SYSTEM job or in the WinRM logon, not in a PowerShell session configuration.",
			Instead: "Choose the account with --script-as.",
		},
		refused("AttemptSoftReboot", "Only a full restart is proven here, by its boot identity.", "Leave it out: nodes restart in full."),
		refused("OsRollingUpgrade", "A new version of Windows is not an update, and cau does not know how to go back from one.", "Upgrade with Invoke-CauRun and Microsoft.RollingUpgradePlugin."),
		refused("SkipUpdateChecks", "Checks are what keeps the cluster in service.", "Accept single checks that could not be verified with --accept ID."),
		refused("ForceSelfUpdate", "It updates Microsoft's own plug-ins, which cau does not run.", "Leave it out."),
		refused("ForceRecovery", "It recovers a failed run of Microsoft's CAU.", "For a run of cau: cau resume RUN, or cau takeover on another host. For Microsoft's: Invoke-CauRun -ForceRecovery."),
		refused("ClearCorruptReports", "It clears reports of Microsoft's CAU.", "Use Invoke-CauRun -ForceRecovery -ClearCorruptReports."),
	}
}

// FindParameter finds a parameter by its name, whatever its case; ok is false for one that Invoke-CauRun does not have.
func FindParameter(name string) (p Parameter, ok bool) {
	all := Parameters()
	i := slices.IndexFunc(all, func(p Parameter) bool { return strings.EqualFold(p.Name, name) })
	if i < 0 {
		return Parameter{}, false
	}
	return all[i], true
}

// problem refuses the reboot modes of Invoke-CauRun that are not obeyed, with the reason.
func (m RebootMode) problem() []OptionError {
	switch {
	case slices.Contains(RebootModes(), m):
		return nil
	case strings.EqualFold(string(m), "SoftReboot"), strings.EqualFold(string(m), "PluginCustomReboot"), strings.EqualFold(string(m), "ClusProp"):
		return []OptionError{{"RebootMode", fmt.Sprintf("is %q, which is refused: only a full restart is proven here, by its boot identity; use FullReboot or OrchestratorDefault", string(m))}}
	}
	return oneOf("RebootMode", m, RebootModes())
}
