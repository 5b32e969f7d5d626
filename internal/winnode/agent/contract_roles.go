package agent

// Operations that look at what a node carries, asked of that node itself.
const (
	OpNodeRoles     = "node.roles"
	OpNodeResidents = "node.residents"
)

// NodeRoles answers OpNodeRoles: the groups that the node owns, with who else may own their resources
// (MSCluster_Resource.GetPossibleOwners, Windows Server 2012 and later). Preferred owners keep nothing from moving.
type NodeRoles struct {
	Roles []NodeRole `json:"roles"`
}

// NodeRole is one group.
type NodeRole struct {
	Name      string         `json:"name"`
	Resources []RoleResource `json:"resources"`
}

// RoleResource is one resource of a group. A list of owners that is empty says nothing: by default all nodes are possible.
type RoleResource struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Owners []string `json:"owners"`
}

// AffinityRule is one MSCluster_AffinityRule that is enabled. Type: 1 same fault domain, 2 same node, 3 different fault
// domain, 4 different node (CLUS_AFFINITY_RULE_TYPE, clusapi.h). That Groups holds their names is unproven.
type AffinityRule struct {
	Name   string   `json:"name"`
	Type   int      `json:"type"`
	Groups []string `json:"groups"`
}

// Residents answers OpNodeResidents: what runs on the node beside its roles.
type Residents struct {
	// HyperV is false where the namespace root/virtualization/v2 does not exist.
	HyperV bool `json:"hyper_v"`
	// Machines are the node's virtual machines (Msvm_ComputerSystem), the node itself among them; Clustered are the ids of
	// those that are resources of this node (private property VmID).
	Machines  []VirtualMachine `json:"machines"`
	Clustered []string         `json:"clustered"`
	// OpenFiles are files that are open over SMB (MSFT_SmbOpenFile), the first 500; OpenCount is how many there are.
	OpenFiles []OpenFile `json:"open_files"`
	OpenCount int        `json:"open_count"`
}

// VirtualMachine is one Msvm_ComputerSystem: ID is its Name, a GUID for a virtual machine; State its EnabledState: 2
// running, 3 off, 6 saved, 9 quiesced, 32768 paused, 32769 saved.
type VirtualMachine struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State int    `json:"state"`
}

// OpenFile is one MSFT_SmbOpenFile. Scope is the name that its share is reached by: a clustered role's, or for the node's
// own shares "*" (unproven). Instance 0 is the server that clients reach; others serve the cluster itself.
type OpenFile struct {
	Scope    string `json:"scope"`
	Path     string `json:"path"`
	Client   string `json:"client"`
	Instance int    `json:"instance"`
}
