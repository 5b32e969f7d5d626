// Package sambatest starts a real Samba file server for one test.
//
//	tests of smbcheck, plugins/hotfix, internal/app -> sambatest   (never imported by the program)
//
// The server listens on 127.0.0.1 on a free port, keeps everything in a folder of its own, and ends
// with the test. It needs smbd and root (smbd changes its identity for every signed-in user);
// where they are missing the test is skipped, or fails where servers are required.
package sambatest
