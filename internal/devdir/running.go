package devdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hookloop/internal/keyfile"
)

// Running is what `hookloop dev` writes when it is ready, for the other commands and for scripts.
type Running struct {
	Gateway   string `json:"gateway"`   // base URL
	Temporal  string `json:"temporal"`  // host:port
	Namespace string `json:"namespace"` // of Temporal
	UI        string `json:"ui"`        // base URL
	Tenant    string `json:"tenant"`
	Token     string `json:"token"` // every scope, every tenant
}

// RunningFile is the path of dev.json.
func RunningFile(data string) string { return filepath.Join(data, "dev.json") }

// Write puts dev.json into the folder whole, readable for its owner only: it holds a token.
func (r Running) Write(data string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return keyfile.Write(RunningFile(data), append(content, '\n'))
}

// ReadRunning reads what a `hookloop dev` that runs on the folder has written.
func ReadRunning(data string) (Running, error) {
	content, err := os.ReadFile(RunningFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, notRunningError(RunningFile(data))
	}
	if err != nil {
		return Running{}, err
	}
	var d Running
	if err := json.Unmarshal(content, &d); err != nil {
		return Running{}, fmt.Errorf("%s: %w", RunningFile(data), err)
	}
	return d, nil
}

// notRunningError names the file that is missing. It is fs.ErrNotExist.
type notRunningError string

func (e notRunningError) Error() string {
	return fmt.Sprintf("no %s: start `hookloop dev` first, name its folder with --data-dir, or give --gateway, --tenant and --token", string(e))
}

func (notRunningError) Is(target error) bool { return target == fs.ErrNotExist }
