package webhook_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"hookloop/internal/webhook"
)

// schedules are all that Schedule.Check lets pass, but for their sum.
func schedules() *rapid.Generator[webhook.Schedule] {
	wait := rapid.Map(rapid.Int64Range(0, int64(webhook.MaxScheduleTotal)), func(n int64) time.Duration { return time.Duration(n) })
	return rapid.Map(rapid.SliceOfN(wait, 1, webhook.MaxScheduleEntries), func(s []time.Duration) webhook.Schedule { return s })
}

// attempts are all that can come of a try, the number left open.
func attempts() *rapid.Generator[webhook.Attempt] {
	return rapid.Custom(func(t *rapid.T) webhook.Attempt {
		a := webhook.Attempt{
			Directive:    rapid.SampledFrom([]webhook.Directive{"", "", "", webhook.DirectiveAbort, webhook.DirectiveDisable}).Draw(t, "directive"),
			RetryAfterMS: rapid.Int64Range(-1000, (72*time.Hour).Milliseconds()).Draw(t, "asked"),
		}
		if rapid.Bool().Draw(t, "answered") {
			a.StatusCode = rapid.OneOf(rapid.IntRange(100, 599), rapid.SampledFrom([]int{200, 410, 429, 503})).Draw(t, "status")
		} else {
			a.Failure = rapid.SampledFrom(failures).Draw(t, "failure")
		}
		return a
	})
}

func TestDecideKeepsItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, a, seed := schedules().Draw(t, "schedule"), attempts().Draw(t, "attempt"), rapid.String().Draw(t, "seed")
		a.Number = rapid.IntRange(1, len(s)+1).Draw(t, "number")
		got := webhook.Decide(s, a, seed)
		if again := webhook.Decide(s, a, seed); again != got {
			t.Fatalf("%+v, then %+v", got, again)
		}
		if got.Status.Ended() {
			if got.Wait != 0 {
				t.Fatalf("ended, and waits %s", got.Wait)
			}
			return
		}
		scheduled := s[a.Number]
		if got.Wait < scheduled*4/5-1 {
			t.Fatalf("waits %s, earlier than the schedule's %s", got.Wait, scheduled)
		}
		if asked := min(a.RetryAfter(), webhook.MaxRetryAfter); got.Status == webhook.Retrying && (a.StatusCode == 429 || a.StatusCode == 503) && got.Wait < asked {
			t.Fatalf("waits %s, was asked for %s", got.Wait, asked)
		}
		if longest := max(scheduled, webhook.MaxRetryAfter) * 6 / 5; got.Wait > longest+1 {
			t.Fatalf("waits %s, later than %s", got.Wait, longest)
		}
	})
}

// Whatever an endpoint answers, and however long it takes to answer, a delivery ends.
func TestEveryDeliveryEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, seed := schedules().Draw(t, "schedule"), rapid.String().Draw(t, "seed")
		for n := 1; n <= len(s); n++ {
			a := attempts().Draw(t, "attempt")
			a.Number = n
			got := webhook.Decide(s, a, seed)
			if got.Status.Ended() {
				return
			}
			if got.Status != webhook.Retrying && got.Status != webhook.Held {
				t.Fatalf("neither ended nor on: %+v", got)
			}
		}
		t.Fatalf("%d attempts, and no end", len(s))
	})
}

func TestDeferWaitKeepsItsBounds(t *testing.T) {
	t.Parallel()
	reasons := []webhook.DeferReason{
		webhook.DeferSchedule, webhook.DeferBreaker, webhook.DeferConcurrency, webhook.DeferLimit,
		webhook.DeferState, webhook.DeferInternal, webhook.DeferStopping,
	}
	rapid.Check(t, func(t *rapid.T) {
		d := webhook.Deferral{
			Reason: rapid.SampledFrom(reasons).Draw(t, "reason"),
			WaitMS: rapid.Int64Range(0, (30*24*time.Hour).Milliseconds()).Draw(t, "asked"),
		}
		n, seed := rapid.IntRange(1, 1<<30).Draw(t, "n"), rapid.String().Draw(t, "seed")
		got := webhook.DeferWait(d, n, seed)
		if again := webhook.DeferWait(d, n, seed); again != got {
			t.Fatalf("%s, then %s", got, again)
		}
		if got < d.Wait() {
			t.Fatalf("waits %s, was asked for %s", got, d.Wait())
		}
		if longest := max(d.Wait(), 30*time.Minute) * 6 / 5; got > longest+1 {
			t.Fatalf("waits %s, later than %s", got, longest)
		}
		if d.Reason == webhook.DeferLimit && got != d.Wait() {
			t.Fatalf("waits %s, its slot is in %s", got, d.Wait())
		}
	})
}
