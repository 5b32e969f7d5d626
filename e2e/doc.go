// Package e2e drives the built program as a person and a script would: real processes, a lab over real WinRM
// and SMB, and a real Samba. It holds tests only.
//
//	go test ./e2e/   needs a Go toolchain; tests against Samba need smbd and root, and say so when they are skipped
package e2e
