// Package model is the Windows side of the lab as pure state: a failover cluster, its nodes, what runs on
// them and how all that changes with time.
//
//	lab (WinRM listeners) ─▶ Node.Operate, Node.Upload ─▶ World ◀─ Scenario
//	                                                      │  └─ events on a Clock that may run fast
//	                                    Shares (real SMB) ◀┘
//
// Of lab/fileserver it knows the notation in which a scenario writes permissions.
//
// Everything happens at model time. Changes are events in one queue; whoever asks first lets all events
// that are due happen, so that no state depends on how fast this machine is. Power reports when a node's
// network comes and goes.
package model
