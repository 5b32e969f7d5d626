package lab

import (
	"embed"
	"io/fs"
)

// The lab's own file server and the hotfix root on it.
const (
	fileServerName = "FS1"
	shareName      = "Hotfixes"
	shareUNC       = `\\` + fileServerName + `\` + shareName
	// SampleRoot shows the three layouts of the Cluster-Aware Updating documentation.
	SampleRoot = shareUNC + `\Root`
)

//go:embed sample
var sampleFiles embed.FS

// sampleShare is what the share Hotfixes shows.
func sampleShare() (fs.FS, error) { return fs.Sub(sampleFiles, "sample") }
