package winnode

import "cau/internal/winnode/agent"

// what names each operation in the words of the screen.
func what(op string) string {
	if w, ok := words()[op]; ok {
		return w
	}
	return op
}

func words() map[string]string {
	return map[string]string{
		agent.OpHello:              "describe the node",
		agent.OpBootInfo:           "read the boot identity",
		agent.OpPendingGet:         "read pending restarts",
		agent.OpUpdatersGet:        "look for other updaters",
		agent.OpBackupGet:          "look for backups",
		agent.OpBitLockerGet:       "read BitLocker's state",
		agent.OpNodeRoles:          "read where the node's roles may go",
		agent.OpNodeResidents:      "look for what a drain does not move",
		agent.OpHotfixList:         "list installed updates",
		agent.OpCauPlugins:         "list the plug-ins of Cluster-Aware Updating",
		agent.OpCauHotfixConfig:    "read the hotfix configuration file of CAU",
		agent.OpEventLogTail:       "read the event log",
		agent.OpQuotasGet:          "read WinRM's limits",
		agent.OpClusterGet:         "describe the cluster",
		agent.OpClusterOffline:     "ask whether quorum survives",
		agent.OpCauRuns:            "look for other updating runs",
		agent.OpCauLockTake:        "take the lock of Cluster-Aware Updating",
		agent.OpCauLockRenew:       "renew the lock of Cluster-Aware Updating",
		agent.OpCauLockDrop:        "drop the lock of Cluster-Aware Updating",
		agent.OpStorageGet:         "describe storage",
		agent.OpStorageMaintenance: "change storage maintenance mode",
		agent.OpNodePause:          "pause",
		agent.OpNodeResume:         "resume",
		agent.OpNodeRestart:        "restart",
		agent.OpNodeRestartAbort:   "restart",
		agent.OpNodeClean:          "clean",
		agent.OpGroupMove:          "move the role",
		agent.OpServiceStart:       "start the service",
		agent.OpShareDescribe:      "describe the share",
		agent.OpShareApply:         "change the share",
		agent.OpFirewallRule:       "look at the firewall rule",
		agent.OpJobStart:           "start the job",
		agent.OpJobRunHere:         "run the script",
		agent.OpJobPoll:            "watch the job",
		agent.OpJobList:            "list the jobs",
		agent.OpJobCancel:          "cancel the job",
		agent.OpJobKill:            "end the job",
		agent.OpJobDelete:          "delete the job",
		agent.OpPushOpen:           "open the push folder",
		agent.OpPushClose:          "remove the push folder",
		agent.OpLeaseTake:          "take the lease",
		agent.OpLeaseRenew:         "renew the lease",
		agent.OpLeaseRead:          "read the lease",
		agent.OpLeaseDrop:          "drop the lease",
		agent.OpCheckpointPut:      "write the checkpoint",
		agent.OpCheckpointGet:      "read the checkpoints",
		agent.OpCheckpointDrop:     "remove the checkpoint",
	}
}

// reads tells whether an operation changes nothing at all, so that it may be asked again when its answer got lost. What
// is not known is not repeated.
func reads(op string) bool {
	switch op {
	case agent.OpHello, agent.OpBootInfo, agent.OpPendingGet, agent.OpUpdatersGet, agent.OpBackupGet, agent.OpBitLockerGet, agent.OpNodeRoles, agent.OpNodeResidents,
		agent.OpHotfixList, agent.OpEventLogTail, agent.OpQuotasGet, agent.OpClusterGet, agent.OpClusterOffline, agent.OpCauRuns, agent.OpCauPlugins, agent.OpCauHotfixConfig,
		agent.OpStorageGet, agent.OpShareDescribe, agent.OpJobPoll, agent.OpJobList, agent.OpLeaseRead, agent.OpCheckpointGet:
		return true
	}
	return false
}
