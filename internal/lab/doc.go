// Package lab is a simulated failover cluster in a process of its own: a separate machine room that is
// reached over real protocols only.
//
//	WinRM clients ─▶ wsmanserver (one per node) ─▶ console ─▶ model ─▶ nodeshare ─▶ SMB servers
//	                                                                                   ▲
//	SMB clients ───────────────────────────────────────────────▶ fileserver (FS1) ─────┘
//	            └─▶ fileserver (ADMIN$ of each node) ─▶ pushedFiles ─▶ model
//	who started it ─▶ lab.json, control socket (attach, down, info)
//
// It imports nothing of the program but winnode/agent, the data that both sides of a real wire share too.
// Serve is the lab; Load, List, Attach, Down and Inspect are for everybody who uses one.
package lab
