package archive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hookloop/workflows"
)

// span is a time without gaps: all that visibility knew to have ended in it was copied.
type span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// cursors are the spans by tenant; the empty name is that of all.
func (f *Folder) cursors() (map[string]span, error) {
	all := map[string]span{}
	_, err := readJSON(f.at(cursorFile), &all)
	return all, err
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
	return f.replace(cursorFile, all)
}

// erasedFile says which erasures of events have reached the archive.
const erasedFile = "_erased.json"

// erasedSlack is how far back erasures are asked for again: those of other processes may become
// known a moment late.
const erasedSlack = time.Minute

// erasedUntil is until when they have, and which of the last moment.
type erasedUntil struct {
	Until  time.Time `json:"until"`
	Latest []string  `json:"latest"` // names
}

// name tells the two times apart at which an event is erased here: once it is gone elsewhere, and
// once more when it was looked for again there, for a copy may have been made meanwhile.
func (e Erased) name() string {
	return workflows.EventWorkflowID(e.Tenant, e.EventID) + " " + e.Done.UTC().Format(time.RFC3339Nano)
}

// follow erases what was erased elsewhere since the last time, and gives the number of files. What
// is erased here is gone from Temporal: it is not copied again.
func (f *Folder) follow(ctx context.Context, since func(ctx context.Context, after time.Time) ([]Erased, error)) (files int, err error) {
	var u erasedUntil
	if _, err := readJSON(f.at(erasedFile), &u); err != nil {
		return 0, err
	}
	after := u.Until
	if !after.IsZero() {
		after = after.Add(-erasedSlack)
	}
	all, err := since(ctx, after)
	if err != nil {
		return 0, fmt.Errorf("what was erased: %w", err)
	}
	fresh := slices.DeleteFunc(slices.Clone(all), func(e Erased) bool {
		return slices.Contains(u.Latest, e.name())
	})
	if len(fresh) == 0 {
		return 0, nil
	}
	if files, err = f.EraseEvents(ctx, fresh); err != nil {
		return files, err
	}
	next := erasedUntil{Until: u.Until}
	for _, e := range fresh {
		next.Until = later(next.Until, e.Done)
	}
	for _, e := range all {
		if !e.Done.Before(next.Until.Add(-erasedSlack)) {
			next.Latest = append(next.Latest, e.name())
		}
	}
	return files, f.replace(erasedFile, next)
}
