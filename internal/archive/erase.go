package archive

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"hookloop/workflows"
)

// Erase takes a file away on purpose: first the index says so, then the file goes. The line that
// the file had stays, for it holds none of what the file held but names and times.
func (f *Folder) Erase(file string, why Erasure) error {
	file = filepath.ToSlash(file)
	e, hour, err := f.find(file)
	if err != nil {
		return err
	}
	return f.erase(hour, []Entry{e}, why)
}

// erase takes away the files of an hour's lines. Those that the index says are erased already are
// looked for all the same: a crash may have come between the two.
func (f *Folder) erase(hour time.Time, lines []Entry, why Erasure) error {
	var fresh []Entry
	for _, e := range lines {
		if e.Erased == nil {
			e.Erased = &why
			fresh = append(fresh, e)
		}
	}
	if err := f.add(hour, fresh); err != nil {
		return err
	}
	for _, e := range lines {
		if !filepath.IsLocal(filepath.FromSlash(e.File)) {
			return fmt.Errorf("the index names a file outside of the archive: %s", e.File)
		}
		if err := os.Remove(f.at(e.File)); err != nil && !missing(err) {
			return err
		}
		if err := syncDir(filepath.Dir(f.at(e.File))); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// Erased is an event whose files are to go, why, and when it was gone elsewhere or
// looked for once more.
type Erased struct {
	Tenant, EventID string
	Why             Erasure
	Done            time.Time
}

// EraseEvents takes away every file of some events, those of their deliveries, too. It reads the
// whole index once, and gives the number of files. It may be done again.
func (f *Folder) EraseEvents(ctx context.Context, events []Erased) (files int, err error) {
	if len(events) == 0 {
		return 0, nil
	}
	whose := make(map[string]Erasure, len(events))
	for _, e := range events {
		whose[workflows.EventWorkflowID(e.Tenant, e.EventID)] = e.Why
	}
	days, err := filepath.Glob(f.at(indexDir + "/*/*/*"))
	if err != nil {
		return 0, err
	}
	for _, dir := range days {
		hours, err := hoursOf(dir)
		if err != nil {
			return files, err
		}
		for _, name := range hours {
			hour, err := time.Parse("2006/01/02/15", path.Join(dayName(f.at(indexDir), dir), name))
			if err != nil {
				continue // none of ours
			}
			n, err := f.eraseIn(hour, whose)
			if files += n; err != nil {
				return files, err
			}
			if err := ctx.Err(); err != nil {
				return files, err
			}
		}
	}
	return files, nil
}

// eraseIn takes away those files of one hour.
func (f *Folder) eraseIn(hour time.Time, whose map[string]Erasure) (files int, err error) {
	latest := map[string]Entry{} // by run
	err = readIndex(f.at(indexName(hour)), func(e Entry) error {
		if _, is := whose[eventWorkflow(e.WorkflowID)]; is {
			latest[e.RunID] = e
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, e := range latest {
		if err := f.erase(hour, []Entry{e}, whose[eventWorkflow(e.WorkflowID)]); err != nil {
			return files, err
		}
		if e.Erased == nil {
			files++
		}
	}
	return files, nil
}

// eventWorkflow is the workflow of the event that a workflow is about, its own or a delivery's.
func eventWorkflow(id string) string {
	parts := strings.Split(id, "/") // kind, tenant, event, endpoint
	if len(parts) < 3 || parts[0] != "event" && parts[0] != "delivery" {
		return ""
	}
	return workflows.EventWorkflowID(parts[1], parts[2])
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
