// Package root measures what it costs to read a hotfix root, beside Samba's own programs.
//
//	Walk, HashFile, cau hotfix check ─┐
//	smbclient, smbcacls ──────────────┴▶ one real Samba with Windows' permissions, signed and encrypted
//
//	go test -run '^$' -bench . -benchtime 7x -timeout 30m ./bench/root                     the tables of docs/bench.md
//	go test -run '^$' -bench Listing -benchtime 7x -cpuprofile cpu.out ./bench/root        where a walk's time goes
//
// Every round does each job once, one after the other, so that all jobs have the same share of a busy moment; a table
// has the medians. It needs Linux, root and Samba, as package sambatest does.
package root
