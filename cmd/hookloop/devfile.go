package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// devFile is what `hookloop dev` writes when it is ready, for the other commands and for scripts.
type devFile struct {
	Gateway   string `json:"gateway"`   // base URL
	Temporal  string `json:"temporal"`  // host:port
	Namespace string `json:"namespace"` // of Temporal
	UI        string `json:"ui"`        // base URL
	Tenant    string `json:"tenant"`
	Token     string `json:"token"` // every scope, every tenant
}

func devFilePath(data string) string { return filepath.Join(data, "dev.json") }

// write puts the file there whole, readable for its owner only: it holds a token.
func (d devFile) write(data string) error {
	content, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(devFilePath(data), append(content, '\n'))
}

func readDevFile(data string) (devFile, error) {
	content, err := os.ReadFile(devFilePath(data))
	if errors.Is(err, fs.ErrNotExist) {
		return devFile{}, fmt.Errorf("no %s: start `hookloop dev` first, or give --gateway, --tenant and --token", devFilePath(data))
	}
	if err != nil {
		return devFile{}, err
	}
	var d devFile
	if err := json.Unmarshal(content, &d); err != nil {
		return devFile{}, fmt.Errorf("%s: %w", devFilePath(data), err)
	}
	return d, nil
}

// writePrivate replaces a file in one step, so that nobody reads half of it.
func writePrivate(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
