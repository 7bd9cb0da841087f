package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/gateway/auth"
)

// TestReaches: of two bounds both hold.
func TestReaches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to   auth.Confined
		want []string // of the endpoints 1 and 2 of "a", and 3 of no owner
	}{
		"no bound":      {auth.Confined{}, []string{"1", "2", "3"}},
		"one":           {auth.Confined{Endpoints: []string{"1"}}, []string{"1"}},
		"an owner":      {auth.Confined{Owner: "a"}, []string{"1", "2"}},
		"both":          {auth.Confined{Owner: "a", Endpoints: []string{"2", "3"}}, []string{"2"}},
		"another owner": {auth.Confined{Owner: "b"}, nil},
	} {
		var got []string
		for _, e := range [][2]string{{"1", "a"}, {"2", "a"}, {"3", ""}} {
			if c.to.Reaches(e[0], e[1]) {
				got = append(got, e[0])
			}
		}
		require.Equal(t, c.want, got, name)
	}
	require.False(t, auth.Confined{}.IsConfined())
}
