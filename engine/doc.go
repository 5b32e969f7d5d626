// Package engine is an Updating Run as pure decision.
//
//	Options + Scan -> Plan -> Run(plan, ports) -> facts -> State = fold(facts)
//	coordinator -> engine -> plugins (the contract)      internal/winnode implements the ports below
//
// It knows nodes, phases, gates and the order of things. It does no I/O of its own: Windows is behind
// the ports, time is a Clock, and what happened is a list of facts that whoever runs it makes durable.
package engine
