// Command cau brings Cluster-Aware Updating to any terminal.
package main

import (
	"os"

	"cau/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
