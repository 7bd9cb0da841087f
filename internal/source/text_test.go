package source_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

func TestReadable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, contentType, want string }{
		{`{"a":"ë"}`, "application/json", `{"a":"ë"}`},
		{`{"a":"ë"}`, "application/json; charset=utf8", `{"a":"ë"}`},
		{`{"a":"ë"}`, "application/json; charset=x-unknown", `{"a":"ë"}`},
		// it is UTF-8 under any name
		{`{"a":"ë"}`, "application/json; charset=iso-8859-1", `{"a":"ë"}`},
		{"\xef\xbb\xbf{\"a\":1}", "", `{"a":1}`},
		{"\xff\xfe{\x00}\x00", "application/json", `{}`},
		{"\xfe\xff\x00{\x00}", "", `{}`},
		{"{\x00}\x00", "application/json; charset=UTF-16LE", `{}`},
		{"\x00{\x00}", `application/json; charset="utf-16be"`, `{}`},
		{"{\"a\":\"Zo\xeb \x80\"}", "application/json; charset=ISO-8859-1", `{"a":"Zoë €"}`},
		{"{\"a\":\"\xa4\"}", "application/json; charset=iso8859-15", `{"a":"€"}`},
		{"{\"a\":\"\xeb\"}", "application/json", "{\"a\":\"\xeb\"}"}, // nothing is guessed
		{"", "", ""},
	} {
		got, err := source.Readable(post(c.body, "Content-Type", c.contentType))
		require.NoError(t, err)
		require.Equal(t, c.want, string(got.Body), "%q %s", c.body, c.contentType)
	}
	_, err := source.Readable(post("\xef\xbb", "Content-Type", "application/json; charset=utf-16"))
	if err != nil {
		requireStatus(t, http.StatusBadRequest, err)
	}
}
