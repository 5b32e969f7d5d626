// Package nodeshare is how a lab node reads a file share: over real SMB, as its computer account.
//
//	model (stage job) ─▶ nodeshare.Reader ─▶ tap (what the wire says) ─▶ a file server
//
// Which server a UNC path means is looked up in a table; a server that is not in it does not exist, like a
// name that DNS does not know. The dialect, signing and encryption that it reports are those of the
// messages that passed, never what was asked for.
package nodeshare
