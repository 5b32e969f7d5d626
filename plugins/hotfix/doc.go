// Package hotfix is Microsoft.HotfixPlugin: it installs what lies in a hotfix root folder.
//
//	internal/app -> plugins/hotfix -> hotfixcfg (what is in the root, by which rule)
//	                               -> smbcheck  (reading the root, and whether it is safe)
//	                               -> plugins   (the contract it fulfils)
//
// Scan runs where cau runs and pins everything: files by hash, rules by value, command lines as they will run.
// Stage and Install run on a node and never look at the configuration again (R09).
package hotfix
