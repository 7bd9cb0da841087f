package webhook_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hookloop/internal/webhook"
)

func TestDefaultSchedule(t *testing.T) {
	t.Parallel()
	s := webhook.DefaultSchedule()
	require.NoError(t, s.Check())
	require.Len(t, s, 10)
	var total time.Duration
	for _, wait := range s {
		total += wait
	}
	require.Equal(t, 75*time.Hour+35*time.Minute+5*time.Second, total)
	s[0] = time.Hour
	require.Zero(t, webhook.DefaultSchedule()[0], "a caller cannot change it for others")
}

func TestScheduleCheck(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		schedule webhook.Schedule
		says     string
	}{
		"none":             {nil, ""},
		"one":              {webhook.Schedule{0}, ""},
		"30 entries":       {make(webhook.Schedule, 30), ""},
		"30 days in all":   {webhook.Schedule{10 * day, 20 * day}, ""},
		"31 entries":       {make(webhook.Schedule, 31), "schedule has 31 entries, at most 30 are allowed"},
		"negative":         {webhook.Schedule{0, -1}, `entries must lie between "0s" and "720h0m0s"`},
		"one is long":      {webhook.Schedule{0, 30*day + 1}, `entries must lie between`},
		"together long":    {webhook.Schedule{20 * day, 10 * day, 1}, "schedule adds up to 720h0m0.000000001s, at most 720h0m0s is allowed"},
		"sum would wrap":   {slices.Repeat(webhook.Schedule{1<<63 - 1}, 3), "entries must lie between"},
		"thirty times max": {slices.Repeat(webhook.Schedule{30 * day}, 30), "adds up to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.schedule.Check()
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
		})
	}
}

func TestJitterStaysWithinAFifth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wait := time.Duration(rapid.Int64Range(0, int64(webhook.MaxScheduleTotal)).Draw(t, "wait"))
		seed, n := rapid.String().Draw(t, "seed"), rapid.Int().Draw(t, "n")
		got := webhook.Jitter(wait, seed, n)
		if off := (got - wait).Abs(); off > wait/5+1 {
			t.Fatalf("%s became %s", wait, got)
		}
		if again := webhook.Jitter(wait, seed, n); again != got {
			t.Fatalf("%s, then %s", got, again)
		}
	})
}

func TestJitterSpreads(t *testing.T) {
	t.Parallel()
	const draws = 10_000
	var fifths [5]int
	for n := range draws {
		share := float64(webhook.Jitter(time.Hour, "delivery/acme/evt_"+strconv.Itoa(n)+"/ep_1", 1)-time.Hour*8/10) / float64(time.Hour*4/10)
		fifths[min(int(share*5), 4)]++
	}
	for _, count := range fifths {
		require.InDelta(t, draws/5, count, draws/50)
	}
	require.NotEqual(t, webhook.Jitter(time.Hour, "a", 1), webhook.Jitter(time.Hour, "a", 2))
}

func TestScheduleJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(webhook.Schedule{0, 90 * time.Second})
	require.NoError(t, err)
	require.JSONEq(t, `["0s","1m30s"]`, string(text))
	s := webhook.Schedule{time.Hour}
	require.NoError(t, json.Unmarshal(text, &s))
	require.Equal(t, webhook.Schedule{0, 90 * time.Second}, s)
	for _, bad := range []string{`{}`, `["soon"]`, `[5]`} {
		require.Error(t, json.Unmarshal([]byte(bad), &s), bad)
	}
}
