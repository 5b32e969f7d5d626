package model

// faultDomain is MSCluster_Node.FaultDomain of a node: each kind with its name, which is empty where there is none.
func (w *World) faultDomain(n *Node) []string {
	site := ""
	for _, s := range w.scenario.Sites {
		if names(s.Nodes, n.name) {
			site = s.Name
		}
	}
	return []string{"Site:" + site, "Rack:", "Chassis:"}
}
