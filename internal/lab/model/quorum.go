package model

// balanceVotes sets the dynamic weights of nodes and witness (dynamic quorum): members have a vote, the
// witness has one when the number of the others is even, and without a witness one node gives its vote up
// so that the number is odd. Without dynamic quorum every node has a vote, present or not. A cluster that
// has lost quorum changes no votes.
func (w *World) balanceVotes() {
	c := &w.cluster
	if c.lost {
		return
	}
	voting := 0
	for _, n := range w.nodes {
		n.dynamicWeight = 0
		if n.member || w.scenario.StaticQuorum {
			n.dynamicWeight = 1
			voting++
		}
	}
	c.witnessWeight = 0
	switch {
	case voting%2 == 1:
	case c.witnessOnline:
		c.witnessWeight = 1
	case !w.scenario.StaticQuorum && voting > 1:
		for i := len(w.nodes) - 1; i >= 0; i-- {
			if w.nodes[i].dynamicWeight == 1 {
				w.nodes[i].dynamicWeight = 0
				break
			}
		}
	}
}

// votes are all votes of the cluster and those that are present when without is not.
func (w *World) votes(without *Node) (total, present int) {
	for _, n := range w.nodes {
		total += n.dynamicWeight
		if n.member && n != without {
			present += n.dynamicWeight
		}
	}
	if w.cluster.witnessOnline {
		total += w.cluster.witnessWeight
		present += w.cluster.witnessWeight
	}
	return total, present
}

// losesQuorum is MSCluster_Node.WillOfflineLoseQuorum. A graceful leave lets dynamic quorum balance the
// votes first, so that all it needs is another member.
func (w *World) losesQuorum(n *Node) bool {
	if !n.member {
		return false
	}
	if !w.scenario.StaticQuorum {
		for _, other := range w.nodes {
			if other != n && other.member {
				return false
			}
		}
		return true
	}
	total, present := w.votes(n)
	return present < total/2+1
}

// checkQuorum stops or starts the cluster as the votes say, after n left or joined.
func (w *World) checkQuorum(n *Node) {
	total, present := w.votes(nil)
	lost := !w.anyMember() || present < total/2+1
	if lost && !w.cluster.lost {
		w.incident(n.name, "quorum-lost", "the cluster lost quorum when "+n.name+" left")
		for _, g := range w.cluster.all() {
			g.state = groupOffline
		}
	}
	if !lost && w.cluster.lost {
		for _, g := range w.cluster.all() {
			g.state = groupOnline
			if !g.owner.member {
				g.owner = n
			}
		}
	}
	w.cluster.lost = lost
}

func (w *World) anyMember() bool {
	for _, n := range w.nodes {
		if n.member {
			return true
		}
	}
	return false
}
