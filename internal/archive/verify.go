package archive

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hookloop/internal/chain"
)

// Fault is what is wrong with a file.
type Fault struct {
	File    string `json:"file"`
	Problem string `json:"problem"` // missing, damaged, not erased, unreadable: …; of an index, which record was changed and how
}

// Verified is what Verify found.
type Verified struct {
	Whole     int     `json:"whole"`
	Erased    int     `json:"erased"`
	Unindexed int     `json:"unindexed"` // files that no line names: of a run that was killed, until the next one
	Records   int64   `json:"records"`   // in the index, as they were signed; 0 without a public key
	Head      string  `json:"head"`      // of all that was signed; empty without a public key
	Faults    []Fault `json:"faults"`
}

// verifying is a Verified in the making.
type verifying struct {
	Verified

	present int // of the files that lines name
}

// Verify compares every file with the hash that the index has of it, each index with its own chain,
// and the ends of the chains with the signed ones. A nil key leaves the last out: then a file and
// its line may have been changed together. Of files without a line it tells the number.
func Verify(ctx context.Context, dir string, public ed25519.PublicKey) (Verified, error) {
	v := &verifying{Verified: Verified{Faults: []Fault{}}}
	if _, err := os.Stat(filepath.Join(dir, indexDir)); err != nil {
		return v.Verified, fmt.Errorf("%s is no archive: %w", dir, err)
	}
	signed, err := v.signature(dir, public)
	if err != nil {
		return v.Verified, err
	}
	found, err := filepath.Glob(filepath.Join(dir, indexDir, "*", "*", "*"))
	if err != nil {
		return v.Verified, err
	}
	days := slices.Collect(maps.Keys(signed))
	for _, name := range found {
		days = append(days, dayName(filepath.Join(dir, indexDir), name))
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		if err := v.day(ctx, dir, day, public, signed); err != nil {
			return v.Verified, err
		}
	}
	files, err := count(ctx, dir)
	v.Unindexed = max(files-v.present, 0)
	return v.Verified, err
}

func (v *verifying) fault(file, format string, args ...any) {
	v.Faults = append(v.Faults, Fault{file, fmt.Sprintf(format, args...)})
}

// signature reads the heads of all days.
func (v *verifying) signature(dir string, public ed25519.PublicKey) (map[string]chain.Head, error) {
	if public == nil {
		return nil, nil
	}
	all, there, err := readHeads(filepath.Join(dir, signedFile))
	switch {
	case err != nil:
		v.fault(signedFile, "unreadable: %v", err)
	case !there:
		v.fault(signedFile, problemMissing)
	case !all.SignedBy(public):
		v.fault(signedFile, "not signed by this key, or changed since")
	}
	v.Records, v.Head = all.Sum().Records, all.Sum().Hash
	return all.Heads, nil
}

// day checks the index of a day, and the files that it names.
func (v *verifying) day(ctx context.Context, dir, day string, public ed25519.PublicKey, signed map[string]chain.Head) error {
	folder := filepath.Join(dir, indexDir, filepath.FromSlash(day))
	hours, err := hoursOf(folder)
	if err != nil {
		return err
	}
	var heads chain.Heads
	if public != nil {
		heads = v.headsOf(dir, day, public, signed[day])
		hours = append(hours, slices.Collect(maps.Keys(heads.Heads))...)
	}
	slices.Sort(hours)
	for _, hour := range slices.Compact(hours) {
		var want *chain.Head
		if public != nil {
			head := heads.Heads[hour] // of an hour that is not signed: no records
			want = &head
		}
		name := path.Join(indexDir, day, hour+".jsonl")
		faults, err := chain.Check(filepath.Join(folder, hour+".jsonl"), want)
		if err != nil {
			return err
		}
		for _, f := range faults {
			v.fault(name, "%s", f)
		}
		if err := v.hour(ctx, dir, filepath.Join(folder, hour+".jsonl")); err != nil {
			return err
		}
	}
	return nil
}

// headsOf reads the signed heads of a day. A run that was killed may have signed a day, and not yet
// all days: the day then has more records than is known of it.
func (v *verifying) headsOf(dir, day string, public ed25519.PublicKey, want chain.Head) chain.Heads {
	name := path.Join(indexDir, day, signedFile)
	heads, there, err := readHeads(filepath.Join(dir, filepath.FromSlash(name)))
	switch now := heads.Sum(); {
	case err != nil:
		v.fault(name, "unreadable: %v", err)
	case !there:
		v.fault(name, problemMissing)
	case !heads.SignedBy(public):
		v.fault(name, "not signed by this key, or changed since")
	case now != want && now.Records <= want.Records:
		v.fault(name, "not the one that was signed last: an older one was put in its place")
	}
	return heads
}

const (
	problemMissing = "missing"
	problemDamaged = "damaged"
	problemStays   = "not erased"
)

// hour checks the files of one hour. The last line of a run holds: an erasure is a line of its own.
// What is no line of an index was told of already.
func (v *verifying) hour(ctx context.Context, dir, index string) error {
	erased := map[string]bool{}
	err := eachLine(index, func(e Entry) {
		if e.Erased != nil {
			erased[e.RunID] = true
		}
	})
	if err != nil {
		return err
	}
	err = eachLine(index, func(e Entry) {
		if ctx.Err() != nil {
			return
		}
		problem := check(ctx, dir, e)
		if problem != problemMissing && e.Erased == nil {
			v.present++
		}
		switch {
		case e.Erased != nil:
			v.Erased++
		case erased[e.RunID] && problem == problemMissing:
		case erased[e.RunID]:
			v.fault(e.File, problemStays)
		case problem == "":
			v.Whole++
		default:
			v.fault(e.File, "%s", problem)
		}
	})
	return errors.Join(err, ctx.Err())
}

// eachLine passes on the lines of an index that are some.
func eachLine(index string, each func(Entry)) error {
	return chain.Records(index, func(line json.RawMessage) {
		var e Entry
		if json.Unmarshal(line, &e) == nil && e.File != "" {
			each(e)
		}
	})
}

// check says what is wrong with one file; nothing if it is whole.
func check(ctx context.Context, dir string, e Entry) string {
	if !filepath.IsLocal(filepath.FromSlash(e.File)) {
		return "unreadable: it lies outside of the archive"
	}
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(e.File)))
	if missing(err) {
		return problemMissing
	}
	if err != nil {
		return "unreadable: " + err.Error()
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil && ctx.Err() == nil {
		return "unreadable: " + err.Error()
	}
	if hex.EncodeToString(sum.Sum(nil)) != e.SHA256 {
		return problemDamaged
	}
	return ""
}

// count counts the files of all tenants.
func count(ctx context.Context, dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		case d.IsDir() && filepath.Dir(name) == filepath.Clean(dir) && (d.Name() == indexDir || d.Name() == tempDir):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".json.gz"):
			n++
		}
		return nil
	})
	return n, err
}
