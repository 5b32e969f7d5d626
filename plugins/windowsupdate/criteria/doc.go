// Package criteria reads the search language of Windows Update's agent, in which CAU's QueryString is written.
//
//	plugins/windowsupdate, internal/cli -> criteria (pure)
//
// The language is that of IUpdateSearcher::Search (wuapi.h): criteria joined by "and", such groups joined by "or" at the top
// level alone. What Parse takes is what that page documents; the agent itself judges again on the node.
package criteria
