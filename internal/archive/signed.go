package archive

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hookloop/internal/chain"
)

// signedFile, in the folder of a day's index, holds the heads of the day's hours, each a chain of
// lines; in the archive's own folder it holds a head for each day.
const signedFile = "_signed.json"

// public is the half of the key that verifies; nil: nothing is signed.
func (f *Folder) public() ed25519.PublicKey {
	if f.key == nil {
		return nil
	}
	return f.key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // it always is
}

// dayOf and hourOf name an hour's chain.
func dayOf(hour time.Time) string  { return hour.UTC().Format("2006/01/02") }
func hourOf(hour time.Time) string { return hour.UTC().Format("15") }

// readHeads reads signed heads; none, if the file is not there.
func readHeads(name string) (h chain.Heads, there bool, err error) {
	h.Heads = map[string]chain.Head{}
	there, err = readJSON(name, &h)
	return h, there, err
}

// ownHeads reads heads that this folder's key has signed: on others nothing is built.
func (f *Folder) ownHeads(name string) (chain.Heads, error) {
	h, there, err := readHeads(f.at(name))
	if err == nil && there && !h.SignedBy(f.public()) {
		err = fmt.Errorf("archive %s: %s is not signed by this key, or was changed since: 'hookloop archive verify' says more", f.path, name)
	}
	return h, err
}

// sign signs the new head of an hour, that of its day, and that of all.
func (f *Folder) sign(hour time.Time, head chain.Head) error {
	if f.key == nil {
		return nil
	}
	name := path.Join(indexDir, dayOf(hour), signedFile)
	day, err := f.ownHeads(name)
	if err != nil {
		return err
	}
	day.Heads[hourOf(hour)] = head
	if err := f.replaceHeads(name, day); err != nil {
		return err
	}
	all, err := f.ownHeads(signedFile)
	if err != nil {
		return err
	}
	all.Heads[dayOf(hour)] = day.Sum()
	return f.replaceHeads(signedFile, all)
}

func (f *Folder) replaceHeads(name string, h chain.Heads) error {
	if err := h.Sign(f.key); err != nil {
		return err
	}
	return f.replace(name, h)
}

// settle takes away what a run that was killed has left in an hour's index: half a line, and, where
// lines are signed, those that were not. Their files are copied again. It gives the chain's head.
func (f *Folder) settle(hour time.Time) (chain.Head, error) {
	name := indexName(hour)
	tail, size, err := chain.Tail(f.at(name))
	if err != nil {
		return tail, err
	}
	keep := tail
	if f.key != nil {
		day, err := f.ownHeads(path.Join(indexDir, dayOf(hour), signedFile))
		if err != nil {
			return tail, err
		}
		keep = day.Heads[hourOf(hour)]
	}
	if keep.Records > tail.Records || keep.Records == tail.Records && keep != tail {
		return tail, fmt.Errorf("archive %s: %s is not as it was signed: 'hookloop archive verify' says more", f.path, name)
	}
	if keep != tail {
		size = 0
		err = chain.Read(f.at(name), func(_ json.RawMessage, seq, end int64) error {
			if seq <= keep.Records {
				size = end
			}
			return nil
		})
		if err != nil {
			return tail, err
		}
	}
	if err := os.Truncate(f.at(name), size); err != nil && !missing(err) {
		return tail, err
	}
	return keep, nil
}

// adopt signs an archive that was not signed so far, as it is.
func (f *Folder) adopt() error {
	days, err := filepath.Glob(f.at(indexDir + "/*/*/*"))
	if err != nil {
		return err
	}
	all := chain.Heads{Heads: map[string]chain.Head{}}
	for _, dir := range days {
		day := chain.Heads{Heads: map[string]chain.Head{}}
		hours, err := hoursOf(dir)
		if err != nil {
			return err
		}
		for _, hour := range hours {
			if day.Heads[hour], _, err = chain.Tail(filepath.Join(dir, hour+".jsonl")); err != nil {
				return err
			}
		}
		name := dayName(f.at(indexDir), dir)
		if err := f.replaceHeads(path.Join(indexDir, name, signedFile), day); err != nil {
			return err
		}
		all.Heads[name] = day.Sum()
	}
	return f.replaceHeads(signedFile, all)
}

// hoursOf are the hours of a day that have an index, in order.
func hoursOf(dir string) (all []string, err error) {
	entries, err := os.ReadDir(dir)
	if missing(err) {
		return nil, nil
	}
	for _, e := range entries {
		if hour, is := strings.CutSuffix(e.Name(), ".jsonl"); is && e.Type().IsRegular() {
			all = append(all, hour)
		}
	}
	slices.Sort(all)
	return all, err
}

// dayName is a day's folder within the index, with slashes.
func dayName(index, dir string) string {
	name, err := filepath.Rel(index, dir)
	if err != nil {
		return dir
	}
	return filepath.ToSlash(name)
}

// isSigned says whether a folder has signed heads.
func (f *Folder) isSigned() (bool, error) {
	_, err := os.Stat(f.at(signedFile))
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}
