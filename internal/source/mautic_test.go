package source_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

func readMautic(t *testing.T, body string) []source.Item {
	t.Helper()
	received, err := newProvider(t, "mautic", `{"secrets":["`+secret+`"]}`).Read(post(body))
	require.NoError(t, err)
	return received.Items
}

func TestMauticGivesOneEventPerElementInOrder(t *testing.T) {
	t.Parallel()
	items := readMautic(t, `{ "mautic.page_on_hit" : [ {"hit":{"url":"https:\/\/a.test"}} , {"a": [ ]} ],"timestamp":"2026-01-31T12:00:00+00:00",`+
		`"none":null,"map":{"a":[1]},"empty":[],"mautic.form_on_submit":[{"caf\u00e9":"<&>"},[]]}`)
	const week = 7 * 24 * time.Hour
	require.Equal(t, []source.Item{
		{Type: "mautic.page_on_hit", Key: hashOf("mautic.page_on_hit\n" + `{"hit":{"url":"https:\/\/a.test"}}`), SameFor: week, Data: []byte(`{"hit":{"url":"https:\/\/a.test"}}`)},
		{Type: "mautic.page_on_hit", Key: hashOf("mautic.page_on_hit\n" + `{"a": [ ]}`), SameFor: week, Data: []byte(`{"a": [ ]}`)},
		{Type: "mautic.form_on_submit", Key: hashOf("mautic.form_on_submit\n" + `{"caf\u00e9":"<&>"}`), SameFor: week, Data: []byte(`{"caf\u00e9":"<&>"}`)},
		{Type: "mautic.form_on_submit", Key: hashOf("mautic.form_on_submit\n[]"), SameFor: week, Data: []byte(`[]`)},
	}, items)
}

// A row that is sent again may come in another batch than the first time.
func TestMauticKeysDoNotDependOnTheBatch(t *testing.T) {
	t.Parallel()
	alone := readMautic(t, `{"a":[{"id":1}]}`)
	batch := readMautic(t, `{"b":[{"id":1}],"a":[{"id":0}, {"id":1}]}`)
	require.Equal(t, alone[0].ID(), batch[2].ID())
	require.NotEqual(t, alone[0].ID(), batch[0].ID(), "the trigger is part of the key")
}

func TestMauticMayHaveNothingToSay(t *testing.T) {
	t.Parallel()
	require.Empty(t, readMautic(t, `{}`))
	require.Empty(t, readMautic(t, `{"mautic.page_on_hit":[]}`))
}

func TestMauticBatchesAreBounded(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "mautic", `{"secrets":["`+secret+`"]}`)
	list := func(n int) string { return "[" + strings.Repeat("0,", n-1) + "0]" }
	received, err := p.Read(post(`{"a":` + list(49_999) + `,"b":[0]}`))
	require.NoError(t, err)
	require.Len(t, received.Items, 50_000)
	_, err = p.Read(post(`{"a":` + list(49_999) + `,"b":[0,0]}`))
	requireStatus(t, http.StatusBadRequest, err)
}
