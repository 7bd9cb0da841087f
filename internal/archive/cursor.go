package archive

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// span is a time without gaps: all that visibility knew to have ended in it was copied.
type span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// cursors are the spans by tenant; the empty name is that of all.
func (f *Folder) cursors() (map[string]span, error) {
	all := map[string]span{}
	content, err := os.ReadFile(f.at(cursorFile))
	if missing(err) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cursorFile, err)
	}
	return all, nil
}

// covered is until when a tenant's executions were copied; zero: never yet.
func (f *Folder) covered(tenant string) (time.Time, error) {
	all, err := f.cursors()
	if err != nil {
		return time.Time{}, err
	}
	return later(all[tenant].Until, all[""].Until), nil
}

// cover notes that a span was copied. One that leaves a gap to what was copied before changes
// nothing: the next run begins before the gap.
func (f *Folder) cover(tenant string, from, until time.Time) error {
	all, err := f.cursors()
	if err != nil {
		return err
	}
	before, begun := all[tenant]
	if !begun { // what was copied for all was copied for each
		before, begun = all[""]
	}
	now := span{From: from, Until: until}
	if begun {
		if from.After(before.Until) || until.Before(before.From) {
			return nil
		}
		now = span{From: earlier(from, before.From), Until: later(until, before.Until)}
	}
	if now == before {
		return nil
	}
	all[tenant] = now
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return f.replace(cursorFile, append(content, '\n'))
}
