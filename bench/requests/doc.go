// Command requests counts what one WinRM operation costs: HTTP requests, bytes and milliseconds, cold and warm, for
// cau's transport, for the library whose messages it uses, and for pywinrm.
//
//	clients ─▶ relay (round trip, bytes) ─▶ a lab node's WinRM service, which counts requests
//
//	go run ./bench/requests             the table of docs/bench.md
//	go run ./bench/requests -budget 30s less time: fewer repetitions, at least three
//
// The counts are exact and the same on every machine; the times are this machine's and this moment's.
package main
