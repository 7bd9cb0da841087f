// Package npmtest lets a Go test run a script that needs npm packages: other people's libraries as
// judges of what we send, a browser as a person would use one. Only tests call it.
package npmtest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// TB is what Install needs of a test.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Install gives a folder with the files of source (package.json, package-lock.json, scripts) beside
// their node_modules. It lies in the user's cache and is made once for each content. Where node or
// npm is missing the test is skipped, and says so.
func Install(t TB, source string) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: %s needs %s: %v", source, tool, err)
		}
	}
	dir, err := install(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return dir
}

func install(source string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum, err := checksum(source)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "hookloop", filepath.Base(source)+"-"+sum)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, fill(source, dir)
}

// fill works in a folder beside dir and moves it in place whole, so that an interrupted or a second
// installation leaves nothing half done.
func fill(source, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), "partial-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(partial) }()
	if err := each(source, func(name string, content []byte) error {
		return os.WriteFile(filepath.Join(partial, name), content, 0o600)
	}); err != nil {
		return err
	}
	ci := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund") //nolint:noctx // a minute, once
	ci.Dir = partial
	if out, err := ci.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	if err := os.Rename(partial, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil {
			return err
		}
	}
	return nil
}

func checksum(source string) (string, error) {
	sum := sha256.New()
	err := each(source, func(name string, content []byte) error {
		_, err := fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:12], err
}

// each visits the files of a folder in the order of their names.
func each(source string, visit func(name string, content []byte) error) error {
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(source, entry.Name()))
		if err != nil {
			return err
		}
		if err := visit(entry.Name(), content); err != nil {
			return err
		}
	}
	return nil
}
