package check

// Catalogue is every check there is, in the order they are shown. A check that is not implemented
// yet is listed all the same and answered with CannotVerify, so that nothing looks safer than it is.
func Catalogue() []Check {
	return []Check{
		{"winrm.reach", "Node answers over WinRM", ScopeTransport},
		{"winrm.auth", "Sign-in works", ScopeTransport},
		{"winrm.sealed", "Messages are sealed or inside TLS", ScopeTransport},
		{"winrm.credential", "Sign-in lasts for the run", ScopeTransport},
		{"node.language-mode", "PowerShell runs in FullLanguage mode", ScopeNode},
		{"node.admin", "Account is an administrator on the node", ScopeNode},
		{"node.namespaces", "Cluster and storage namespaces are present", ScopeNode},
		{"node.disk", "System drive has room", ScopeNode},
		{"node.clock", "Clocks agree", ScopeNode},
		{"node.pending-restart", "No restart is pending", ScopeNode},
		{"node.quotas", "WinRM's quotas suffice", ScopeNode},
		{"node.updaters", "Nothing else installs updates on the node", ScopeNode},
		{"node.bitlocker", "Node starts without anybody at its console", ScopeNode},
		{"node.job", "SYSTEM jobs can be started", ScopeNode},
		{"node.share-read", "Files come to the node", ScopeNode},
		{"cluster.nodes-up", "All nodes are up", ScopeCluster},
		{"cluster.quorum", "Quorum survives one node less", ScopeCluster},
		{"cluster.storage", "Storage is healthy", ScopeCluster},
		{"cluster.foreign-run", "No other updating run", ScopeCluster},
		{"cluster.self-updating", "No self-updating role of CAU", ScopeCluster},
		{"cluster.backup", "No backup and no volume maintenance", ScopeCluster},
		{"cluster.host", "This host is not a node of the cluster", ScopeCluster},
		{"root.reach", "Hotfix root can be read", ScopeRoot},
		{"smb.version", "SMB 2 or later", ScopeRoot},
		{"smb.integrity", "SMB signing required, or encrypted", ScopeRoot},
		{"smb.encryption", "SMB encryption in use", ScopeRoot},
		{"smb.guest", "Not a guest session", ScopeRoot},
		{"smb.dfs", "Not a DFS namespace", ScopeRoot},
		{"acl.root.users-read", "Users may read the root", ScopeRoot},
		{"acl.root.writers", "Only administrators may change the root", ScopeRoot},
		{"acl.config.writers", "Only administrators may change the configuration", ScopeRoot},
		{"acl.files.writers", "Only administrators may change the updates", ScopeRoot},
		{"root.reparse-points", "No reparse points in the root", ScopeRoot},
		{"config.present", "Configuration file is there", ScopeRoot},
		{"config.valid", "Configuration file is valid", ScopeRoot},
		{"layout", "Folder structure is as CAU expects", ScopeRoot},
	}
}
