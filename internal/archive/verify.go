package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Fault is what is wrong with a file.
type Fault struct {
	File    string `json:"file"`
	Problem string `json:"problem"` // missing, damaged, not erased, unreadable: …
}

// Verified is what Verify found.
type Verified struct {
	Whole     int     `json:"whole"`
	Erased    int     `json:"erased"`
	Unindexed int     `json:"unindexed"` // files that no line names: of a run that was killed, until the next one
	Faults    []Fault `json:"faults"`
}

// Verify compares every file with the hash that the index has of it. Of files without a line it
// tells the number.
func Verify(ctx context.Context, dir string) (Verified, error) {
	v := Verified{Faults: []Fault{}}
	if _, err := os.Stat(filepath.Join(dir, indexDir)); err != nil {
		return v, fmt.Errorf("%s is no archive: %w", dir, err)
	}
	err := filepath.WalkDir(filepath.Join(dir, indexDir), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".jsonl") {
			return err
		}
		return v.hour(ctx, dir, name)
	})
	if err != nil {
		return v, err
	}
	files, err := count(ctx, dir)
	named := v.Whole
	for _, f := range v.Faults {
		if f.Problem != problemMissing {
			named++
		}
	}
	v.Unindexed = max(files-named, 0)
	return v, err
}

const (
	problemMissing = "missing"
	problemDamaged = "damaged"
	problemStays   = "not erased"
)

// hour checks the files of one hour. The last line of a run holds: an erasure is a line of its own.
func (v *Verified) hour(ctx context.Context, dir, index string) error {
	erased := map[string]bool{}
	err := readIndex(index, func(e Entry) error {
		if e.Erased != nil {
			erased[e.RunID] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return readIndex(index, func(e Entry) error {
		switch problem := check(ctx, dir, e); {
		case ctx.Err() != nil:
			return ctx.Err()
		case e.Erased != nil:
			v.Erased++
		case erased[e.RunID] && problem == problemMissing:
		case erased[e.RunID]:
			v.Faults = append(v.Faults, Fault{e.File, problemStays})
		case problem == "":
			v.Whole++
		default:
			v.Faults = append(v.Faults, Fault{e.File, problem})
		}
		return nil
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

// Erase takes a file away on purpose: first the index says so, then the file goes. The line that
// the file had stays, for it holds none of what the file held but names and times.
func (f *Folder) Erase(file string, why Erasure) error {
	file = filepath.ToSlash(file)
	e, hour, err := f.find(file)
	if err != nil {
		return err
	}
	if e.Erased == nil {
		e.Erased = &why
		if err := f.add(hour, []Entry{e}); err != nil {
			return err
		}
	}
	name := f.at(file)
	if err := os.Remove(name); err != nil && !missing(err) {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// find looks for the line of a file among those of its day.
func (f *Folder) find(file string) (found Entry, hour time.Time, err error) {
	parts := strings.Split(file, "/")
	if len(parts) != 5 {
		return found, hour, fmt.Errorf("%s is no file of this archive; name it as the index does", file)
	}
	day, err := time.Parse("2006/01/02", strings.Join(parts[1:4], "/"))
	if err != nil {
		return found, hour, fmt.Errorf("%s is no file of this archive; name it as the index does", file)
	}
	for h := range 24 {
		at := day.Add(time.Duration(h) * time.Hour)
		err := readIndex(f.at(indexName(at)), func(e Entry) error {
			if e.File == file {
				found, hour = e, at
			}
			return nil
		})
		if err != nil {
			return found, hour, err
		}
	}
	if found.File == "" {
		return found, hour, fmt.Errorf("the index has no %s", file)
	}
	return found, hour, nil
}
