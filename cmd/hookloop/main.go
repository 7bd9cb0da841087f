// Command hookloop sends and receives webhooks that cannot get lost. One file per role;
// this package is the only one that picks concrete types and puts them together.
package main

import (
	"os"

	"hookloop/internal/cli"
	"hookloop/internal/terminal"
)

// version is set by the linker at release: -X main.version=v1.2.3.
var version = "dev"

func main() {
	os.Exit(terminal.Run(cli.New(version, newDev(), newServe(), newGatewayCommand(), newWorkerCommand(), newUI(), newMigrate(),
		newConfig(), newKey(), newReseal(), newHealth(), newBench(), newArchive(), newAttempts())))
}
