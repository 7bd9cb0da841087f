// Package chain keeps records so that a change to them shows: each record has its number and the
// hash of the one before, a manifest has the last one's, and an Ed25519 key signs the manifest. It
// decides what proves that records are whole, and finds which are not; what a record says is its
// callers' business. `hookloop audit export` writes a folder of them.
package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files of a folder.
const (
	manifestFile = "manifest.json"
	stateFile    = "unfinished.json" // while records are written
)

// recordsOfFile is how many records a file holds at most.
const recordsOfFile = 50_000

// record is one line of a file. Its hash is that of the line, without the line break.
type record struct {
	Seq  int64           `json:"seq"`  // from 1, over all files
	Prev string          `json:"prev"` // hash of the record before; empty for the first
	Line json.RawMessage `json:"line"`
}

// Manifest says what a folder holds.
type Manifest struct {
	Format    int       `json:"format"` // 1
	About     string    `json:"about"`  // what was exported, for a person
	CreatedAt time.Time `json:"created_at"`
	Records   int64     `json:"records"`
	Head      string    `json:"head"` // hash of the last record
	Files     []File    `json:"files"`
	PublicKey string    `json:"public_key"` // base64; who verifies must have it from elsewhere
	Signature string    `json:"signature"`  // base64, of the manifest without it
}

// File is one file of records.
type File struct {
	Name   string `json:"name"`
	First  int64  `json:"first"` // number of its first record
	Last   int64  `json:"last"`
	SHA256 string `json:"sha256"`
}

// signed are the bytes that are signed.
func (m Manifest) signed() ([]byte, error) {
	m.Signature = ""
	return json.Marshal(m)
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// NewKey draws a key: its seed in base64, as a file keeps it.
func NewKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(key.Seed()) + "\n"), nil
}

// ParseKey reads what NewKey made.
func ParseKey(text []byte) (ed25519.PrivateKey, error) {
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("it is not the base64 of 32 bytes; make one with 'hookloop key audit'")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PublicText is the public half of a key in base64.
func PublicText(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // it always is
}

// ParsePublic reads what PublicText wrote.
func ParsePublic(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("it is not the base64 of 32 bytes")
	}
	return key, nil
}

func readManifest(dir string) (m Manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) && exists(filepath.Join(dir, stateFile)) {
		return m, fmt.Errorf("%s is unfinished: run the export again, and it goes on", dir)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	}
	return m, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
