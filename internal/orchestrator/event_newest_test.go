package orchestrator_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// putEvents has Temporal list them as a SQL database does: those that run first, the others by
// their end.
func putEvents(s *orchestratortest.Temporal, all []*orchestratortest.Run) {
	slices.SortFunc(all, func(a, b *orchestratortest.Run) int {
		if a.End.IsZero() != b.End.IsZero() {
			if a.End.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start))
	})
	s.Forget()
	s.Put(all...)
}

func anEvent(n int, start, end time.Time) *orchestratortest.Run {
	r := &orchestratortest.Run{
		ID: workflows.EventWorkflowID("acme", fmt.Sprintf("evt_%05d", n)), Type: workflows.TypeEvent, Start: start, End: end,
		Attributes: map[string]string{"Tenant": "acme", "Outcome": string(webhook.EventDelivering)},
	}
	if !end.IsZero() {
		r.Status = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}
	return r
}

// TestEventsAreListedNewestFirst, whatever runs and whenever the others ended, in few questions;
// and what is accepted meanwhile moves no page.
func TestEventsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	const most = 3000
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		events int
		gap    time.Duration // between two starts
		open   float64       // the share that runs
		takes  time.Duration // how long the others take at most
	}{
		"none":                 {0, time.Second, 0, time.Second},
		"a page":               {10, time.Second, 0.5, time.Hour},
		"all delivered":        {most, time.Millisecond, 0, time.Second},
		"most are held":        {most, time.Second, 0.9, time.Hour},
		"old ones end late":    {most, time.Second, 0.1, 10 * time.Hour},
		"all at the same time": {most, 0, 0.5, time.Hour},
		"a handful is held":    {most, time.Second, 0.002, time.Second},
		"one second has many":  {most, time.Microsecond, 0.3, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chance := rand.New(rand.NewPCG(1, 2))
			s := orchestratortest.New()
			var runs []*orchestratortest.Run
			for i := range c.events {
				start, end := day.Add(time.Duration(i)*c.gap), time.Time{}
				if chance.Float64() >= c.open {
					end = start.Add(rand.N(c.takes) + time.Millisecond)
				}
				runs = append(runs, anEvent(i, start, end))
			}
			putEvents(s, runs)
			want := slices.Clone(runs)
			slices.SortFunc(want, func(a, b *orchestratortest.Run) int {
				return -cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
			})

			e := through(t, s).Events(orchestrator.EventsConfig{})
			var got []string
			for page, pages := []byte(nil), 0; pages == 0 || page != nil; pages++ {
				before := len(s.Lists)
				found, next, err := e.List(t.Context(), orchestrator.EventFilter{Tenant: "acme"}, 50, page)
				require.NoError(t, err)
				require.LessOrEqual(t, len(found), 50)
				if next != nil {
					require.NotEmpty(t, found)
				}
				if c.gap > 0 {
					require.LessOrEqual(t, len(s.Lists)-before, 10)
				}
				for _, f := range found {
					got = append(got, f.WorkflowID)
				}
				if page = next; pages%7 == 0 { // accepted meanwhile
					runs = append(runs, anEvent(90000+pages, day.Add(1000*time.Hour), time.Time{}))
					putEvents(s, runs)
				}
			}
			require.Len(t, got, c.events)
			for i, w := range want {
				require.Equal(t, w.ID, got[i], "place %d", i)
			}
		})
	}
}
