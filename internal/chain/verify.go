package chain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFaults bounds how many faults are told: after the first ones, more say nothing new.
const maxFaults = 20

// Report says whether a folder is whole.
type Report struct {
	Records int64    `json:"records"` // that were read
	Head    string   `json:"head"`
	Faults  []string `json:"faults"` // empty: it is whole, and as it was signed
}

// checker reads a folder's records in order.
type checker struct {
	Report

	seq  int64
	prev string // hash of the record before
}

func (c *checker) fault(format string, args ...any) {
	if len(c.Faults) < maxFaults {
		c.Faults = append(c.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify compares a folder with its manifest, and the manifest with the public key that its reader
// has from elsewhere. It says which record was changed, is missing, was added or cut off. An error
// means that it could not be read.
func Verify(dir string, public ed25519.PublicKey) (Report, error) {
	m, err := readManifest(dir)
	if err != nil {
		return Report{}, err
	}
	c := &checker{Report: Report{Faults: []string{}}}
	text, err := m.signed()
	if err != nil {
		return Report{}, err
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil || !ed25519.Verify(public, text, signature) {
		c.fault("the manifest is not signed by this key, or was changed since")
	}
	known := map[string]bool{manifestFile: true}
	for _, f := range m.Files {
		known[f.Name] = true
		if err := c.file(dir, f); err != nil {
			return c.Report, err
		}
	}
	c.end(Head{Records: m.Records, Hash: m.Head})
	c.Head = c.prev
	left, err := os.ReadDir(dir)
	for _, e := range left {
		if !known[e.Name()] {
			c.fault("%s is not in the manifest", e.Name())
		}
	}
	return c.Report, err
}

// end compares where the records end with where they were signed to end.
func (c *checker) end(want Head) {
	switch {
	case c.seq < want.Records:
		c.fault("records %d to %d are missing at the end", c.seq+1, want.Records)
	case c.seq > want.Records:
		c.fault("%d records stand behind the signed ones: they were added, or a run was killed before it signed", c.seq-want.Records)
	case c.prev != want.Hash:
		c.fault("the hash of record %d, the last one, is not the signed one: it was changed, or one before it was and those behind it were chained anew", c.seq)
	}
}

// file reads one file, record by record.
func (c *checker) file(dir string, f File) error {
	if strings.ContainsAny(f.Name, `/\`) {
		c.fault("the manifest names a file elsewhere: %q", f.Name)
		return nil
	}
	file, err := os.Open(filepath.Join(dir, f.Name))
	if errors.Is(err, os.ErrNotExist) {
		c.fault("%s, with records %d to %d, is missing", f.Name, f.First, f.Last)
		c.seq, c.prev = f.Last, ""
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	for line, err := range lines(io.TeeReader(file, sum)) {
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		c.record(f.Name+": ", line)
	}
	if now := hex.EncodeToString(sum.Sum(nil)); now != f.SHA256 {
		c.fault("%s, with records %d to %d, is not as it was signed", f.Name, f.First, f.Last)
	}
	return nil
}

// record holds a record, a line of a file, to the one before it.
func (c *checker) record(file string, line []byte) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil || !isWhole(line) {
		c.fault("%sthe record after %d is cut off or no JSON", file, c.seq)
		return
	}
	c.Records++
	switch {
	case r.Seq > c.seq+1:
		c.fault("records %d to %d are missing", c.seq+1, r.Seq-1)
	case r.Seq <= c.seq:
		c.fault("record %d stands behind record %d: it was added or moved", r.Seq, c.seq)
	case c.prev == "" && c.seq > 0: // the one before is missing, and that was told
	case r.Prev != c.prev:
		c.fault("record %d was changed: record %d has another hash of it", c.seq, r.Seq)
	}
	c.seq, c.prev = max(r.Seq, c.seq), hashOf(bytes.TrimSuffix(line, []byte{'\n'}))
}
