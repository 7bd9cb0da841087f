package webhook_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestParseEventKeepsDataByteForByte(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"b":1,"a":2,"B":3}`,
		`1.10`, `1e2`, `-0`, `12345678901234567890`, `0.1000000000000000055511151231257827`,
		`"\u00e9\u00E9é\/\ud83d\ude00"`, `"\u2028<>&"`, `"\ud800"`,
		"{ \"a\" :\t[ 1 ,\n 2 ] }", "[\r\n]",
		`{"a":1,"a":2}`, // a duplicate below the top is the app's own affair
		`null`, `true`, `""`, `{}`, `[]`,
		strings.Repeat("[", webhook.MaxDepth-1) + strings.Repeat("]", webhook.MaxDepth-1),
	} {
		for _, body := range []string{
			`{"type":"a.b","data":` + data + `}`,
			` { "data" : ` + data + " , \"timestamp\":\"2026-01-31T12:00:00Z\",\n\"type\":\"a.b\" } \n",
		} {
			e, err := webhook.ParseEvent([]byte(body))
			require.NoError(t, err, body)
			require.Equal(t, data, string(e.Data))
			require.Equal(t, "a.b", e.Type)
		}
	}
}

func TestParseEventTimestamp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		`"2026-01-31T12:00:00Z"`:            time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		`"2026-01-31T12:00:00.123456789Z"`:  time.Date(2026, 1, 31, 12, 0, 0, 123456789, time.UTC),
		`"2026-01-31T12:00:00+02:00"`:       time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC),
		`"0000-06-01T00:00:00Z"`:            time.Date(0, 6, 1, 0, 0, 0, 0, time.UTC),
		`"9999-12-31T23:59:59Z"`:            time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		`"1969-07-20T20:17:40.000000000Z" `: time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC),
	} {
		e, err := webhook.ParseEvent([]byte(`{"type":"a","data":1,"timestamp":` + text + `}`))
		require.NoError(t, err, text)
		require.Equal(t, want, e.Timestamp, "in UTC")
	}
	e, err := webhook.ParseEvent([]byte(`{"type":"a","data":1}`))
	require.NoError(t, err)
	require.Zero(t, e.Timestamp)
}

func TestParseEventSubject(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("ü", 256)
	for _, subject := range []string{"customer-7", "u", longest} {
		e, err := webhook.ParseEvent([]byte(`{"type":"a","data":1,"subject":"` + subject + `"}`))
		require.NoError(t, err)
		require.Equal(t, subject, e.Subject)
	}
	for _, bad := range []string{`""`, `7`, `null`, `{}`, `"` + longest + `a"`} {
		_, err := webhook.ParseEvent([]byte(`{"type":"a","data":1,"subject":` + bad + `}`))
		require.EqualError(t, err, "subject must be a string of 1 to 512 bytes", bad)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	}
}

func TestParseEventRefuses(t *testing.T) {
	t.Parallel()
	const whole = "" // the body, not one field
	deep := func(n int) string {
		return `{"type":"a","data":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	for name, tc := range map[string]struct{ body, field, says string }{
		"empty":               {``, whole, "is not a JSON object"},
		"spaces":              {" \n", whole, "is not a JSON object"},
		"text":                {`hello`, whole, "is not a JSON object"},
		"form":                {`type=a&data=1`, whole, "is not a JSON object"},
		"array":               {`[{"type":"a","data":1}]`, whole, "is not a JSON object"},
		"string":              {`"type"`, whole, "is not a JSON object"},
		"null":                {`null`, whole, "is not a JSON object"},
		"byte order mark":     {"\ufeff" + `{"type":"a","data":1}`, whole, "is not a JSON object"},
		"cut":                 {`{"type":"a","data":`, whole, "body is not valid JSON: it ends too early"},
		"cut in a string":     {`{"type":"a`, whole, "body is not valid JSON: it ends too early"},
		"cut after a comma":   {`{"type":"a",`, whole, "body is not valid JSON: it ends too early"},
		"cut before the end":  {`{"type":"a","data":1`, whole, "body is not valid JSON: it ends too early"},
		"no colon":            {`{"type" "a","data":1}`, whole, "body is not valid JSON: invalid character"},
		"no comma":            {`{"type":"a" "data":1}`, whole, "body is not valid JSON: invalid character"},
		"comma at the end":    {`{"type":"a","data":1,}`, whole, "body is not valid JSON: invalid character"},
		"comment":             {`{"type":"a",/* x */"data":1}`, whole, "body is not valid JSON: invalid character"},
		"single quotes":       {`{'type':'a'}`, whole, "body is not valid JSON: invalid character"},
		"name is a number":    {`{1:"a"}`, whole, "body is not valid JSON: invalid character"},
		"NaN":                 {`{"type":"a","data":NaN}`, whole, "body is not valid JSON: invalid character"},
		"leading zero":        {`{"type":"a","data":01}`, whole, "body is not valid JSON: invalid character"},
		"control character":   {"{\"type\":\"a\",\"data\":\"\n\"}", whole, "body is not valid JSON: invalid character"},
		"bad escape":          {`{"type":"a","data":"\x41"}`, whole, "body is not valid JSON: invalid character"},
		"data ill-formed":     {`{"type":"a","data":[1}`, whole, "body is not valid JSON: invalid character"},
		"two objects":         {`{"type":"a","data":1}{"type":"a","data":1}`, whole, "goes on after"},
		"trailing bytes":      {`{"type":"a","data":1}x`, whole, "goes on after"},
		"trailing brace":      {`{"type":"a","data":1}}`, whole, "goes on after"},
		"trailing NUL":        {"{\"type\":\"a\",\"data\":1}\x00", whole, "goes on after"},
		"invalid UTF-8":       {"{\"type\":\"a\",\"data\":\"\xff\"}", whole, "UTF-8"},
		"UTF-8 of surrogates": {"{\"type\":\"a\",\"data\":\"\xed\xa0\x80\"}", whole, "UTF-8"},
		"UTF-16":              {"{\x00}\x00", whole, "body is not valid JSON: invalid character"},

		"no type":            {`{"data":1}`, "type", "is required"},
		"no data":            {`{"type":"a"}`, "data", "is required"},
		"nothing":            {`{}`, "type", "is required"},
		"type twice":         {`{"type":"a","data":1,"type":"b"}`, "type", "appears twice"},
		"data twice":         {`{"type":"a","data":1,"data":1}`, "data", "appears twice"},
		"data twice, spelt":  {`{"type":"a","data":1,"d\u0061ta":2}`, "data", "appears twice"},
		"timestamp twice":    {`{"timestamp":"2026-01-31T12:00:00Z","timestamp":"2026-01-31T12:00:00Z"}`, "timestamp", "appears twice"},
		"unknown field":      {`{"type":"a","data":1,"id":"evt_1"}`, "id", "is not a field of an event"},
		"wrong case":         {`{"Type":"a","data":1}`, "Type", "is not a field of an event"},
		"prototype":          {`{"type":"a","data":1,"__proto__":{}}`, "__proto__", "is not a field"},
		"type is a number":   {`{"type":1,"data":1}`, "type", "must be a string"},
		"type is an object":  {`{"type":{},"data":1}`, "type", "must be a string"},
		"type is null":       {`{"type":null,"data":1}`, "type", "separated by dots"},
		"type is empty":      {`{"type":"","data":1}`, "type", "separated by dots"},
		"type with a blank":  {`{"type":"Contact us","data":1}`, "type", "separated by dots"},
		"type is long":       {`{"type":"` + strings.Repeat("a", 129) + `","data":1}`, "type", "at most 128"},
		"timestamp is zero":  {`{"type":"a","data":1,"timestamp":"0001-01-01T00:00:00Z"}`, "timestamp", "RFC 3339"},
		"timestamp is null":  {`{"type":"a","data":1,"timestamp":null}`, "timestamp", "RFC 3339"},
		"timestamp is Unix":  {`{"type":"a","data":1,"timestamp":1769860800}`, "timestamp", "RFC 3339"},
		"timestamp is a day": {`{"type":"a","data":1,"timestamp":"2026-01-31"}`, "timestamp", "RFC 3339"},
		"no 31 February":     {`{"type":"a","data":1,"timestamp":"2026-02-31T12:00:00Z"}`, "timestamp", "RFC 3339"},
		"year 10000 in UTC":  {`{"type":"a","data":1,"timestamp":"9999-12-31T23:59:59-01:00"}`, "timestamp", "RFC 3339"},
		"year -1 in UTC":     {`{"type":"a","data":1,"timestamp":"0000-01-01T00:00:00+01:00"}`, "timestamp", "RFC 3339"},
		"501 deep":           {deep(webhook.MaxDepth), "data", "nests deeper than 500 levels"},
		"10,000 deep":        {deep(10_000), "data", "nests deeper than 500 levels"},
		"1e5 open":           {strings.Repeat("[", 100_000), "data", "nests deeper"},
		"deep objects":       {strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), "data", "nests deeper"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook.ParseEvent([]byte(tc.body))
			var refusal *webhook.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, tc.field, refusal.Field)
			require.Contains(t, refusal.Error(), tc.says)
			want := webhook.Invalid
			if tc.field == whole {
				want = webhook.BadJSON
			}
			require.Equal(t, want, webhook.CodeOf(err))
		})
	}
}

func TestBracketsInStringsAreNotDepth(t *testing.T) {
	t.Parallel()
	text := `"` + strings.Repeat(`[{\"\\`, 2_000) + `"`
	e, err := webhook.ParseEvent([]byte(`{"type":"a","data":` + text + `}`))
	require.NoError(t, err)
	require.Equal(t, text, string(e.Data))
}

// TestManySideBySideAreNotDeep: a list of a thousand objects nests three levels.
func TestManySideBySideAreNotDeep(t *testing.T) {
	t.Parallel()
	list := "[" + strings.Repeat(`{"a":[1]},`, 1000) + "{}]"
	e, err := webhook.ParseEvent([]byte(`{"type":"a","data":` + list + `}`))
	require.NoError(t, err)
	require.Equal(t, list, string(e.Data))
	require.NoError(t, webhook.CheckData([]byte(list)))
	deepest := "[[]," + strings.Repeat("[", webhook.MaxDepth) + strings.Repeat("]", webhook.MaxDepth) + "]"
	require.ErrorContains(t, webhook.CheckData([]byte(deepest)), "nests deeper", "what was closed before it does not count for less")
}

// A contact as Mautic posts it, through parsing and the envelope.
func TestMauticContactStaysItself(t *testing.T) {
	t.Parallel()
	contact, err := os.ReadFile("testdata/mautic-contact.json")
	require.NoError(t, err)
	e, err := webhook.ParseEvent([]byte(`{"type":"contact.updated","data":` + string(contact) + `}`))
	require.NoError(t, err)
	require.Equal(t, contact, []byte(e.Data))

	body := webhook.Body(webhook.Event{Type: e.Type, Timestamp: happened}, webhook.Content{Data: e.Data})
	require.True(t, json.Valid(body))
	kept, ok := bytes.CutPrefix(body, []byte(`{"type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","data":`))
	require.True(t, ok)
	require.Equal(t, string(contact)+"}", string(kept))
}

func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"contact.updated","data":{"b":1.10,"a":12345678901234567890},"timestamp":"2026-01-31T12:00:00+02:00"}`,
		` { "data" : [ "\u00e9" ] , "type" : "a" } `,
		`{"type":"a","data":1,"data":2}`, `{"type":"a","data":"[[[\"{"}`, `{"type":"a"}x`, `[]`, "\xff", `{"`, `{"type":"a","data":}`,
		strings.Repeat("[", 600),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		e, err := webhook.ParseEvent(body)
		require.Equal(t, before, body)
		if err != nil {
			require.NotEmpty(t, webhook.CodeOf(err), "every refusal is one the app may read: %v", err)
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.True(t, json.Valid(body), "accepted is valid")
		require.True(t, json.Valid(e.Data))
		require.True(t, bytes.Contains(body, e.Data), "data is the app's own bytes")
		require.NoError(t, webhook.CheckEventType(e.Type))
		_, err = json.Marshal(webhook.Event{Type: e.Type, Timestamp: e.Timestamp})
		require.NoError(t, err, "an accepted event can be a workflow's input")
		require.True(t, json.Valid(webhook.Body(webhook.Event{Type: e.Type, Timestamp: e.Timestamp}, webhook.Content{Data: e.Data})))
	})
}
