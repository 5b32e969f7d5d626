// Package windowsupdate is Microsoft.WindowsUpdatePlugin: what Windows Update's agent on each node offers.
//
//	internal/app -> plugins/windowsupdate -> criteria (the agent's search language)
//	                                      -> plugins  (the contract it fulfils)
//
// Scan, Stage and Install are jobs of the agent on the node, because it refuses work in a network logon. A plan holds each
// update by id and revision; what is offered later is found by FollowUps (R08).
package windowsupdate
