package fault

// clusters are errors of the Cluster service. Source: winerror.h (names and values).
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var clusters = map[Code]known{
	5010: {"ERROR_OBJECT_ALREADY_EXISTS", "The cluster has an object of that name already.", ""},
	5013: {"ERROR_GROUP_NOT_FOUND", "The cluster has no role of that name.", ""},
	5023: {"ERROR_INVALID_STATE", "The role or resource is not in a state that allows this.", ""},
	5042: {"ERROR_CLUSTER_NODE_NOT_FOUND", "The cluster has no node of that name.", ""},
	5050: {"ERROR_CLUSTER_NODE_DOWN", "The node is down.", "Start the Cluster service on the node."},
	5051: {"ERROR_CLUSTER_NODE_UNREACHABLE", "The cluster cannot reach the node.", "Check the node's cluster networks."},
	5056: {"ERROR_CLUSTER_NODE_UP", "The node is up.", ""},
	5058: {"ERROR_CLUSTER_NODE_NOT_PAUSED", "The node is not paused.", ""},
	5070: {"ERROR_CLUSTER_NODE_PAUSED", "The node is paused.", "The node is paused already; resume it, or let the one who paused it finish."},
	5072: {"ERROR_CLUSTER_NODE_NOT_READY", "The node is not ready yet.", "Wait until the node has joined the cluster."},
	5073: {"ERROR_CLUSTER_NODE_SHUTTING_DOWN", "The node is shutting down.", "Wait for the node to come back."},
	5908: {"ERROR_CLUSTER_GROUP_MOVING", "The role is being moved.", "Wait until the move is done."},
	5925: {"ERROR_CLUSTER_NO_QUORUM", "The cluster has no quorum.", "Bring enough nodes or the witness back before anything else."},
	5944: {"ERROR_CLUSTER_GROUP_BUSY", "The role is busy.", "Wait until what runs on the role is done."},
	5959: {"ERROR_CLUSTER_GROUP_QUEUED", "The role's move waits for its turn.", "Wait until the other moves are done."},
	5960: {"ERROR_CLUSTER_RESOURCE_LOCKED_STATUS", "A resource of the role is locked, for example by a live migration or a backup.", "Wait until what holds the resource is done."},
	5962: {"ERROR_CLUSTER_NODE_DRAIN_IN_PROGRESS", "A drain of the node is under way.", ""},
	5978: {"ERROR_CLUSTER_NODE_IN_GRACE_PERIOD", "The node has just come up and takes no roles yet.", "Wait a little."},
	5980: {"ERROR_NODE_NOT_ACTIVE_CLUSTER_MEMBER", "The node is not an active member of the cluster.", "Start the Cluster service on the node and wait until it has joined."},
	5984: {"ERROR_CLUSTER_NODE_ISOLATED", "The node is isolated from the others.", "Check the node's cluster networks."},
	5985: {"ERROR_CLUSTER_NODE_QUARANTINED", "The node left the cluster too often and is in quarantine.", ""},
	5987: {"ERROR_CLUSTER_SPACE_DEGRADED", "A virtual disk would lose data or redundancy.", "A virtual disk is degraded; wait for its repair."},
	5988: {"ERROR_CLUSTER_TOKEN_DELEGATION_NOT_SUPPORTED", "The operation needs credentials that a network logon does not have.", ""},
}
