// Command scan looks at all nodes of a large simulated cluster at once, as a preview does before its plan, and says
// what that costs and how near each node's WinRM service came to its quotas.
//
//	scan ─▶ winnode.Fleet ─▶ one connection and one shell per node ─▶ a lab of 64 nodes, which counts
//
//	go run ./bench/scan                 64 nodes over sealed NTLM
//	go run ./bench/scan -kerberos       the same over sealed Kerberos
package main
