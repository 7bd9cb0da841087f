package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"abc", 0, ""},
		{"", 0, ""},
		{"aü", 2, "a"},
		{"aü", 3, "aü"},
		{"😀", 3, ""},
		{"\xff\xfe", 1, "\xff"},
		{"\xbf\xbf", 1, ""},
		{"a\xbf\xbf", 2, ""}, // the bytes of a character that never began go with the one before
	} {
		require.Equal(t, tc.want, webhook.Cut(tc.text, tc.n), "%q to %d", tc.text, tc.n)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"a\"\u003cü"`, string(webhook.Quote(`a"<ü`)))
}
