package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/archive"
	"hookloop/internal/audit"
	"hookloop/internal/chain"
	"hookloop/internal/terminal"
)

// archiving runs one command line of `hookloop archive`.
func archiving(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := newArchive()
	terminal.CheckArgs(c)
	var out bytes.Buffer
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestArchiveUsage(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"give --to":                         {},
		"--follow has no end":               {"--to", "x", "--follow", "--until", "1h"},
		"--since must be a time like":       {"--to", "x", "--since", "yesterday"},
		"--until must be a time like":       {"--to", "x", "--until", "2026-13-01"},
		"--since must lie before --until":   {"--to", "x", "--since", "1h", "--until", "2h"},
		"archive show needs FILE":           {"show"},
		"leave --json out":                  {"show", "--json", "--data", "x"},
		"verify takes DIR alone, not \"b\"": {"verify", "a", "b"},
		"archive erase needs FILE, or":      {"erase", "a"},
		"archive erase needs --reason":      {"erase", "a", "b", "--reason", " "},
	} {
		_, err := archiving(t, args...)
		require.ErrorContains(t, err, want)
		_, is := errors.AsType[*terminal.UsageError](err)
		require.True(t, is, want)
	}
}

func TestArchiveFindsNoTemporal(t *testing.T) {
	t.Parallel()
	_, err := archiving(t, "--to", t.TempDir(), "--data", t.TempDir())
	require.ErrorContains(t, err, "no 'hookloop dev' runs on")
}

// oneFile is an archive of one recorded history, made by hand.
func oneFile(t *testing.T) (dir, file string) {
	t.Helper()
	history, err := os.ReadFile("../../workflows/testdata/histories/Approval/v0.1.0-approved.json")
	require.NoError(t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(history)
	require.NoError(t, errors.Join(err, z.Close()))
	sum := sha256.Sum256(b.Bytes())
	dir, file = t.TempDir(), "approved/2026/11/24/Approval-x-y.json.gz"
	line, err := json.Marshal(archive.Entry{RunID: "y", File: file, SHA256: hex.EncodeToString(sum[:])})
	require.NoError(t, err)
	line, _, err = chain.Next(chain.Head{}, line)
	require.NoError(t, err)
	for name, content := range map[string][]byte{file: b.Bytes(), "_index/2026/11/24/17.jsonl": line} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, content, 0o600)))
	}
	return dir, file
}

func TestArchiveShow(t *testing.T) {
	t.Parallel()
	dir, file := oneFile(t)
	out, err := archiving(t, "show", filepath.Join(dir, file))
	require.NoError(t, err)
	require.Regexp(t, `^Approval  approval/approved/ep_[0-9a-z]{26}\n`, out)
	require.Regexp(t, `(?m)^2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  approve +ep_[0-9a-z]{26} +by dev, as they say +mended \(50 a second\)$`, out)
	out, err = archiving(t, "show", "--json", filepath.Join(dir, file))
	require.NoError(t, err)
	var l audit.Trail
	require.NoError(t, json.Unmarshal([]byte(out), &l))
	require.Equal(t, "Approval", l.Type)
	_, err = archiving(t, "show", "archive_test.go")
	require.ErrorContains(t, err, "archive_test.go: gzip: invalid header")
}

func TestArchiveVerifyAndErase(t *testing.T) {
	t.Parallel()
	dir, file := oneFile(t)
	out, err := archiving(t, "verify", dir)
	require.NoError(t, err)
	require.Equal(t, "1 file whole, 0 erased, 0 in no index\nthe signature was not looked at: give --public-key\n", out)

	require.NoError(t, os.Truncate(filepath.Join(dir, file), 10))
	out, err = archiving(t, "verify", dir)
	require.EqualError(t, err, "it is not as it was written: 1 fault")
	require.Contains(t, out, file+"  damaged\n0 files whole, 0 erased, 0 in no index\n")

	out, err = archiving(t, "erase", dir, file, "--by", "alice", "--reason", "request 17")
	require.NoError(t, err)
	require.Equal(t, "erased "+file+"\n", out)
	out, err = archiving(t, "verify", "--json", dir)
	require.NoError(t, err)
	require.JSONEq(t, `{"whole":0,"erased":1,"unindexed":0,"records":0,"head":"","faults":[]}`, out)
}
