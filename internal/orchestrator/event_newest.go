package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// newest gives pages of the runs that a query finds, in the order in which they began, the latest
// first. Temporal on a SQL database lists in one order alone: those that run first, by their
// beginning, then the others by their end. A run that began late ended late, too. So a page is made
// of the beginnings of both lists, the second one read until all is there that can belong to the
// page. The deeper a page, the more lines of its index the database passes over.
type newest struct {
	link

	query  query
	size   int
	behind position
}

// position is where a list goes on: behind the run that began then and has this id. The zero
// position is its beginning.
type position struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// compare is negative for a run that stands behind the position.
func (p position) compare(x Execution) int {
	return cmp.Or(x.Start.Compare(p.At), strings.Compare(x.WorkflowID, p.ID))
}

func positionOf(x Execution) position { return position{x.Start, x.WorkflowID} }

// mostRead is how many runs one question gives at most, where a first one was not enough.
const mostRead = 1000

// mostQuestions bounds how often what ended is asked for. Then all of it is read.
const mostQuestions = 8

// unended is later than the end of any run: SQL databases have the end of those that run there.
var unended = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// page gives the next runs, and where the page after them begins; nil: that was the last.
func (n newest) page(ctx context.Context) ([]Execution, []byte, error) {
	q := n.query
	if !n.behind.At.IsZero() {
		q = where(q, started("<=", n.behind.At))
	}
	// Two more: one tells that there are more, one may be the last of the page before.
	open, moreOpen, err := n.list(ctx, where(q, running), n.size+2, nil)
	if err != nil {
		return nil, nil, err
	}
	all, moreOver, err := n.addOver(ctx, where(q, closed("<", unended)), n.sorted(slices.Clone(open)))
	if err != nil {
		return nil, nil, err
	}
	if len(moreOpen) > 0 && (len(all) < n.size || !all[n.size-1].Start.After(open[len(open)-1].Start)) {
		// Those that began at the same time are in no order that we know.
		if all, _, err = n.addAll(ctx, where(q, running), all); err != nil {
			return nil, nil, err
		}
	}
	if len(all) <= n.size && len(moreOpen) == 0 && !moreOver {
		return all, nil, nil
	}
	all = all[:min(n.size, len(all))]
	if len(all) == 0 { // all that was there was deleted meanwhile
		return nil, nil, nil
	}
	next, err := json.Marshal(positionOf(all[len(all)-1]))
	return all, next, err
}

// addOver adds the runs that have ended and belong to the page; more says that there are others. A
// page's worth of runs shows since when those of the page began at least. What ended before that
// time does not belong to it.
func (n newest) addOver(ctx context.Context, q query, all []Execution) (_ []Execution, more bool, err error) {
	var since time.Time
	for i, size := 0, 2*n.size+2; i < mostQuestions; i, size = i+1, mostRead {
		asked := q
		if !since.IsZero() {
			asked = where(q, started(">=", since))
		}
		some, next, err := n.list(ctx, asked, size, nil)
		if err != nil {
			return nil, false, err
		}
		all = n.sorted(append(all, some...))
		if len(next) == 0 {
			return all, !since.IsZero(), nil
		}
		last := some[len(some)-1].End
		if len(all) < n.size || all[n.size-1].Start.Equal(since) {
			break // it leads no further
		}
		if since = all[n.size-1].Start; since.After(last) {
			return all, true, nil
		}
	}
	return n.addAll(ctx, q, all)
}

// addAll reads a whole list, and keeps what may belong to the page.
func (n newest) addAll(ctx context.Context, q query, kept []Execution) (_ []Execution, more bool, err error) {
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		var some []Execution
		if some, page, err = n.list(ctx, q, mostRead, page); err != nil {
			return nil, false, err
		}
		kept = n.sorted(append(kept, some...))
		kept = kept[:min(n.size+1, len(kept))] // the one too many says that there are more
	}
	return kept, len(kept) > n.size, nil
}

// sorted has each run once, although it ended between two questions, and none of the pages before.
func (n newest) sorted(all []Execution) []Execution {
	all = slices.DeleteFunc(all, func(x Execution) bool { return !n.behind.At.IsZero() && n.behind.compare(x) >= 0 })
	slices.SortStableFunc(all, func(a, b Execution) int { return positionOf(a).compare(b) })
	return slices.CompactFunc(all, func(a, b Execution) bool { return a.WorkflowID == b.WorkflowID && a.RunID == b.RunID })
}
