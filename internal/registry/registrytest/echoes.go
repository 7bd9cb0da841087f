package registrytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
)

// contact is a value of the one object that most tests are about.
func contact(value string) echo.Value {
	return echo.Value{Tenant: tenant, Application: "crm", Key: "contact 7", Hash: value}
}

// wrote is a delivery that brings a value to the application.
func wrote(t *testing.T, r Registry, event, value string, order int64) {
	t.Helper()
	w := echo.Write{Value: contact(value), EventID: event, EndpointID: id(1), Order: order}
	require.NoError(t, r.Remember(t.Context(), w, born))
}

// reported is a report of the application, and what it was ruled to be.
func reported(t *testing.T, r Registry, event, value string) echo.Ruling {
	t.Helper()
	return reportedAt(t, r, event, value, born)
}

func reportedAt(t *testing.T, r Registry, event, value string, now time.Time) echo.Ruling {
	t.Helper()
	return must(r.Rule(t.Context(), echo.Report{Value: contact(value), EventID: event}, now))(t)
}

func requireEcho(t *testing.T, of string, got echo.Ruling) {
	t.Helper()
	require.Equal(t, of, got.EchoOf)
}

func requireChange(t *testing.T, got echo.Ruling) {
	t.Helper()
	require.Empty(t, got.EchoOf)
	require.Positive(t, got.Order)
}

// echoOnce: what was written comes back as an echo, once; the same report asked about again gets
// the same answer.
func echoOnce(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", reported(t, r, "evt_2", "blue"))
	requireEcho(t, "evt_1", reported(t, r, "evt_2", "blue"))
	requireChange(t, reported(t, r, "evt_3", "blue"))
}

// echoOther: another value is a change, and so is the same one of another object, application or
// tenant.
func echoOther(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireChange(t, reported(t, r, "evt_2", "red"))
	for _, m := range []echo.Value{
		{Tenant: "other", Application: "crm", Key: "contact 7", Hash: "blue"},
		{Tenant: tenant, Application: "shop", Key: "contact 7", Hash: "blue"},
		{Tenant: tenant, Application: "crm", Key: "contact 8", Hash: "blue"},
	} {
		ruling := must(r.Rule(t.Context(), echo.Report{Value: m, EventID: "evt_9"}, born))(t)
		requireChange(t, ruling)
	}
}

// echoLate: a write that arrives after a change of the application's own has replaced that change,
// and the ruling names it. So has one that arrives after a later write.
func echoLate(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	own := reported(t, r, "evt_2", "red")
	requireChange(t, own)
	got := reported(t, r, "evt_3", "blue")
	requireEcho(t, "evt_1", got)
	require.Equal(t, "evt_2", got.Newer)
	require.Equal(t, own.Order, got.Latest)
	require.Equal(t, got, reported(t, r, "evt_3", "blue"))

	wrote(t, r, "evt_4", "old", 0)
	wrote(t, r, "evt_5", "new", 0)
	requireEcho(t, "evt_5", reported(t, r, "evt_6", "new"))
	got = reported(t, r, "evt_7", "old")
	requireEcho(t, "evt_4", got)
	require.Equal(t, "evt_5", got.Newer)
}

// echoToCome: nothing is lost while the later change is still on its way to the application, even
// one that repeats what was lost before.
func echoToCome(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	wrote(t, r, "evt_2", "red", 0)
	got := reported(t, r, "evt_3", "blue")
	requireEcho(t, "evt_1", got)
	require.Empty(t, got.Newer)
	got = reported(t, r, "evt_4", "red")
	requireEcho(t, "evt_2", got)
	require.Empty(t, got.Newer, "it has the latest")

	wrote(t, r, "evt_5", "late", 1)
	late := reported(t, r, "evt_6", "late")
	require.Equal(t, "evt_2", late.Newer)
	wrote(t, r, "evt_7", "red", late.Latest) // what repeats evt_2
	wrote(t, r, "evt_8", "later", 2)
	require.Empty(t, reported(t, r, "evt_9", "later").Newer)
	got = reported(t, r, "evt_10", "red")
	requireEcho(t, "evt_7", got)
	require.Empty(t, got.Newer)
}

// echoIdle: an application that is brought the value it has may report nothing. After a change of
// its own that write is void, and the same value is a change.
func echoIdle(t *testing.T, s Store) {
	r := open(t, s)
	requireChange(t, reported(t, r, "evt_1", "blue"))
	wrote(t, r, "evt_2", "blue", 0)
	requireChange(t, reported(t, r, "evt_3", "red"))
	requireChange(t, reported(t, r, "evt_4", "blue"))
}

// echoUnsure: an application that was brought the value it had and reports it may have been changed
// by a person in what the value leaves out. That is passed on, once: what is said of that in turn
// is an echo.
func echoUnsure(t *testing.T, s Store) {
	r := open(t, s)
	requireChange(t, reported(t, r, "evt_1", "blue"))
	wrote(t, r, "evt_2", "blue", 0)
	got := reported(t, r, "evt_3", "blue")
	requireChange(t, got)
	require.True(t, got.Unsure)

	shop := echo.Value{Tenant: tenant, Application: "shop", Key: "7", Hash: "blue"}
	must(r.Rule(t.Context(), echo.Report{Value: shop, EventID: "evt_4"}, born))(t)
	w := echo.Write{Value: shop, EventID: "evt_3", EndpointID: id(2), Order: got.Order, Unsure: true}
	require.NoError(t, r.Remember(t.Context(), w, born))
	ruling := must(r.Rule(t.Context(), echo.Report{Value: shop, EventID: "evt_5"}, born))(t)
	requireEcho(t, "evt_3", ruling)

	wrote(t, r, "evt_6", "blue", 0)
	requireChange(t, reportedAt(t, r, "evt_7", "blue", born.Add(echo.ReportLag)))
}

// echoSequence: a value that comes and goes is one echo for each write of it, the oldest first.
func echoSequence(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	wrote(t, r, "evt_2", "red", 0)
	wrote(t, r, "evt_3", "blue", 0)
	for _, step := range [][3]string{{"evt_4", "blue", "evt_1"}, {"evt_5", "red", "evt_2"}, {"evt_6", "blue", "evt_3"}} {
		got := reported(t, r, step[0], step[1])
		requireEcho(t, step[2], got)
		require.Empty(t, got.Newer)
	}
	requireChange(t, reported(t, r, "evt_7", "blue"))
}

// echoOverruled: a report can be made a change, and is one from then on.
func echoOverruled(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", reported(t, r, "evt_2", "blue"))
	changed := must(r.Change(t.Context(), echo.Report{Value: contact("blue"), EventID: "evt_2"}, born))(t)
	requireChange(t, changed)
	require.Equal(t, changed, reported(t, r, "evt_2", "blue"))
}

// echoRepeated: a delivery made twice brings one value, and its second echo is one as well.
func echoRepeated(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 5)
	requireEcho(t, "evt_1", reported(t, r, "evt_2", "blue"))
	wrote(t, r, "evt_1", "blue", 5)
	requireEcho(t, "evt_1", reported(t, r, "evt_3", "blue"))
	requireChange(t, reported(t, r, "evt_4", "blue"))
}
