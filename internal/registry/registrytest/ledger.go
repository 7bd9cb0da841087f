package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func mark(value string) webhook.Mark {
	return webhook.Mark{Tenant: tenant, Application: "crm", Key: "contact 7", Hash: value}
}

// wrote is a delivery that brings a value to the application.
func wrote(t *testing.T, r Registry, event, value string, order int64) {
	t.Helper()
	w := webhook.Write{Mark: mark(value), EventID: event, EndpointID: id(1), Order: order}
	require.NoError(t, r.Remember(t.Context(), w, born))
}

// told is a report of the application, and what it was taken for.
func told(t *testing.T, r Registry, event, value string) webhook.Ruling {
	t.Helper()
	return toldAt(t, r, event, value, born)
}

func toldAt(t *testing.T, r Registry, event, value string, now time.Time) webhook.Ruling {
	t.Helper()
	ruling, err := r.Rule(t.Context(), webhook.Report{Mark: mark(value), EventID: event}, now)
	require.NoError(t, err)
	return ruling
}

func requireEcho(t *testing.T, of string, got webhook.Ruling) {
	t.Helper()
	require.Equal(t, of, got.EchoOf)
}

func requireChange(t *testing.T, got webhook.Ruling) {
	t.Helper()
	require.Empty(t, got.EchoOf)
	require.Positive(t, got.Order)
}

// echoOnce: what was written comes back as an echo, once; the same report asked about again gets the
// same answer.
func echoOnce(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", told(t, r, "evt_2", "blue"))
	requireEcho(t, "evt_1", told(t, r, "evt_2", "blue"))
	requireChange(t, told(t, r, "evt_3", "blue"))
}

// echoOther: another value is a change, and so is the same one of another object, application or tenant.
func echoOther(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireChange(t, told(t, r, "evt_2", "red"))
	for _, m := range []webhook.Mark{
		{Tenant: "other", Application: "crm", Key: "contact 7", Hash: "blue"},
		{Tenant: tenant, Application: "shop", Key: "contact 7", Hash: "blue"},
		{Tenant: tenant, Application: "crm", Key: "contact 8", Hash: "blue"},
	} {
		ruling, err := r.Rule(t.Context(), webhook.Report{Mark: m, EventID: "evt_9"}, born)
		require.NoError(t, err)
		requireChange(t, ruling)
	}
}

// echoLate: a write that arrives after a change of the application's own has replaced that change, and
// the ruling names it. So has one that arrives after a later write.
func echoLate(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	own := told(t, r, "evt_2", "red")
	requireChange(t, own)
	got := told(t, r, "evt_3", "blue")
	requireEcho(t, "evt_1", got)
	require.Equal(t, "evt_2", got.Newer)
	require.Equal(t, own.Order, got.Latest)
	require.Equal(t, got, told(t, r, "evt_3", "blue"))

	wrote(t, r, "evt_4", "old", 0)
	wrote(t, r, "evt_5", "new", 0)
	requireEcho(t, "evt_5", told(t, r, "evt_6", "new"))
	got = told(t, r, "evt_7", "old")
	requireEcho(t, "evt_4", got)
	require.Equal(t, "evt_5", got.Newer)
}

// echoToCome: nothing is lost while the later change is still on its way to the application, even one that
// repeats what was lost before.
func echoToCome(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	wrote(t, r, "evt_2", "red", 0)
	got := told(t, r, "evt_3", "blue")
	requireEcho(t, "evt_1", got)
	require.Empty(t, got.Newer)
	got = told(t, r, "evt_4", "red")
	requireEcho(t, "evt_2", got)
	require.Empty(t, got.Newer, "it has the latest")

	wrote(t, r, "evt_5", "late", 1)
	late := told(t, r, "evt_6", "late")
	require.Equal(t, "evt_2", late.Newer)
	wrote(t, r, "evt_7", "red", late.Latest) // what repeats evt_2
	wrote(t, r, "evt_8", "later", 2)
	require.Empty(t, told(t, r, "evt_9", "later").Newer)
	got = told(t, r, "evt_10", "red")
	requireEcho(t, "evt_7", got)
	require.Empty(t, got.Newer)
}

// echoIdle: who is brought a value he has may say nothing. After a change of his own that note is void,
// and the same value is a change.
func echoIdle(t *testing.T, s Store) {
	r := open(t, s)
	requireChange(t, told(t, r, "evt_1", "blue"))
	wrote(t, r, "evt_2", "blue", 0)
	requireChange(t, told(t, r, "evt_3", "red"))
	requireChange(t, told(t, r, "evt_4", "blue"))
}

// echoUnsure: who was brought the value he had and says that he has it may have been changed by a person in
// what the value leaves out. That is passed on, once: what is said of that in turn is an echo.
func echoUnsure(t *testing.T, s Store) {
	r := open(t, s)
	requireChange(t, told(t, r, "evt_1", "blue"))
	wrote(t, r, "evt_2", "blue", 0)
	got := told(t, r, "evt_3", "blue")
	requireChange(t, got)
	require.True(t, got.Unsure)

	shop := webhook.Mark{Tenant: tenant, Application: "shop", Key: "7", Hash: "blue"}
	_, err := r.Rule(t.Context(), webhook.Report{Mark: shop, EventID: "evt_4"}, born)
	require.NoError(t, err)
	w := webhook.Write{Mark: shop, EventID: "evt_3", EndpointID: id(2), Order: got.Order, Unsure: true}
	require.NoError(t, r.Remember(t.Context(), w, born))
	ruling, err := r.Rule(t.Context(), webhook.Report{Mark: shop, EventID: "evt_5"}, born)
	require.NoError(t, err)
	requireEcho(t, "evt_3", ruling)

	wrote(t, r, "evt_6", "blue", 0)
	requireChange(t, toldAt(t, r, "evt_7", "blue", born.Add(webhook.ReportLag)))
}

// echoLag: what was not reported when it should have been is void: after a change a while later, and after
// the report of a write that began when it was over.
func echoLag(t *testing.T, s Store) {
	r := open(t, s)
	later := born.Add(webhook.ReportLag + time.Second)
	wrote(t, r, "evt_1", "blue", 0)
	requireChange(t, toldAt(t, r, "evt_2", "red", later))
	requireChange(t, toldAt(t, r, "evt_3", "blue", later))

	wrote(t, r, "evt_4", "unsaid", 0)
	w := webhook.Write{Mark: mark("said"), EventID: "evt_5", EndpointID: id(1)}
	require.NoError(t, r.Remember(t.Context(), w, born.Add(webhook.AttemptLag+time.Second)))
	requireEcho(t, "evt_5", toldAt(t, r, "evt_6", "said", later))
	requireChange(t, toldAt(t, r, "evt_7", "unsaid", later))
}

// echoSequence: a value that comes and goes is one echo for each write of it, the oldest first.
func echoSequence(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	wrote(t, r, "evt_2", "red", 0)
	wrote(t, r, "evt_3", "blue", 0)
	for _, step := range [][3]string{{"evt_4", "blue", "evt_1"}, {"evt_5", "red", "evt_2"}, {"evt_6", "blue", "evt_3"}} {
		got := told(t, r, step[0], step[1])
		requireEcho(t, step[2], got)
		require.Empty(t, got.Newer)
	}
	requireChange(t, told(t, r, "evt_7", "blue"))
}

// echoOverruled: a report can be made a change, and is one from then on.
func echoOverruled(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", told(t, r, "evt_2", "blue"))
	changed, err := r.Change(t.Context(), webhook.Report{Mark: mark("blue"), EventID: "evt_2"}, born)
	require.NoError(t, err)
	requireChange(t, changed)
	require.Equal(t, changed, told(t, r, "evt_2", "blue"))
}

// echoRepeated: a delivery made twice brings one value, and its second echo is one as well.
func echoRepeated(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 5)
	requireEcho(t, "evt_1", told(t, r, "evt_2", "blue"))
	wrote(t, r, "evt_1", "blue", 5)
	requireEcho(t, "evt_1", told(t, r, "evt_3", "blue"))
	requireChange(t, told(t, r, "evt_4", "blue"))
}

func echoExpires(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", toldAt(t, r, "evt_2", "blue", born.Add(webhook.EchoTTL-time.Second)))
	wrote(t, r, "evt_3", "red", 0)
	requireChange(t, toldAt(t, r, "evt_4", "red", born.Add(webhook.EchoTTL)))
}

// echoSettled: a write that never arrived makes no echo of what a person does, and one that may have arrived
// does for a while; what counted before an attempt counts after it.
func echoSettled(t *testing.T, s Store) {
	r := open(t, s)
	settle := func(event, value string, until time.Time) {
		t.Helper()
		require.NoError(t, r.Settle(t.Context(), webhook.Write{Mark: mark(value), EventID: event, EndpointID: id(1)}, until))
	}
	settle("evt_0", "none", born)
	wrote(t, r, "evt_1", "blue", 0)
	settle("evt_1", "blue", born)
	requireChange(t, told(t, r, "evt_2", "blue"))

	wrote(t, r, "evt_3", "red", 0)
	settle("evt_3", "red", born.Add(time.Minute))
	wrote(t, r, "evt_3", "red", 0)
	settle("evt_3", "red", born)
	requireEcho(t, "evt_3", toldAt(t, r, "evt_4", "red", born.Add(time.Minute-time.Second)))

	wrote(t, r, "evt_5", "green", 0)
	settle("evt_5", "green", born.Add(time.Minute))
	requireChange(t, toldAt(t, r, "evt_6", "green", born.Add(time.Minute)))
	wrote(t, r, "evt_7", "blue", 0)
	settle("evt_7", "blue", born)
	wrote(t, r, "evt_7", "blue", 0) // the next attempt
	requireEcho(t, "evt_7", told(t, r, "evt_8", "blue"))
}

// echoRace: one write is one echo, whoever asks.
func echoRace(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	var all sync.WaitGroup
	rulings := make([]webhook.Ruling, 20)
	for n := range rulings {
		all.Go(func() {
			rulings[n], _ = r.Rule(t.Context(), webhook.Report{Mark: mark("blue"), EventID: fmt.Sprintf("evt_b%d", n)}, born)
		})
	}
	all.Wait()
	echoes := 0
	for _, ruling := range rulings {
		if ruling.EchoOf != "" {
			echoes++
		}
		require.Positive(t, ruling.Order)
	}
	require.Equal(t, 1, echoes)
}

func withheld(t *testing.T, s Store) {
	r := open(t, s)
	own, asks, other := endpoint(1), endpoint(2), endpoint(3)
	own.Application, asks.Application, other.Application = "crm", "crm", "shop"
	asks.EchoBack = true
	create(t, r, own, asks, other, endpoint(4))
	for application, want := range map[string][]string{"crm": ids(1), "shop": ids(3), "none": nil, "": nil} {
		got, err := r.Withheld(t.Context(), tenant, application)
		require.NoError(t, err)
		require.Equal(t, want, got, application)
	}
	keeps(t, r, func(e *webhook.Endpoint) {
		e.EchoBack, e.Echo = true, webhook.EchoPaths{Key: ".data.id", Value: ".data"}
		e.Request = webhook.RequestShape{Method: "PATCH", Path: `["a", .data.id]`, Body: ".data"}
	})
	got, err := r.Withheld(t.Context(), tenant, "crm")
	require.NoError(t, err)
	require.Empty(t, got)
}

func claims(t *testing.T, s Store) {
	r := open(t, s)
	claim := func(sourceID, content string, now time.Time) string {
		bound, err := r.Claim(t.Context(), sourceID, "transmission 1", content, now.Add(time.Hour), now)
		require.NoError(t, err)
		return bound
	}
	require.Equal(t, "a", claim("src_1", "a", born))
	require.Equal(t, "a", claim("src_1", "b", born), "the first content holds the name")
	require.Equal(t, "a", claim("src_1", "a", born))
	require.Equal(t, "b", claim("src_2", "b", born), "of each source")
	require.Equal(t, "b", claim("src_1", "b", born.Add(time.Hour)), "for as long as was asked")
}
