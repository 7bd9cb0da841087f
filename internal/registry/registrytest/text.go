package registrytest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/webhook"
)

// noText: NUL and bytes that are not UTF-8, which not every database keeps, become U+FFFD in what
// people write for people, and are in no id.
func noText(t *testing.T, s Store) {
	r := open(t, s)
	want := endpoint(1)
	given := want
	given.Description, want.Description = "a\x00b\xffc", "a\ufffdb\ufffdc"
	given.Metadata, want.Metadata = map[string]string{"a": "\x00"}, map[string]string{"a": "\x00"}
	create(t, r, given)
	got := changed(t, r, 1, func(e *webhook.Endpoint) {
		require.Equal(t, want, *e)
		e.State, e.StateReason = webhook.EndpointPaused, "\x00"
	})
	require.Equal(t, "\ufffd", got.StateReason)

	src := source(1)
	src.Name = "\xff\x00"
	require.NoError(t, r.CreateSource(t.Context(), src))
	found := must(r.Source(t.Context(), tenant, src.ID))(t)
	require.Equal(t, "\ufffd\ufffd", found.Name)
	found = must(r.UpdateSource(t.Context(), tenant, src.ID, func(s *webhook.Source) error { s.Name = "\x00"; return nil }))(t)
	require.Equal(t, "\ufffd", found.Name)

	for _, odd := range []string{"ep_\x00", "ep_\xff"} {
		_, err := r.Endpoint(t.Context(), tenant, odd)
		requireCode(t, webhook.NotFound, err)
		_, err = r.SourceByID(t.Context(), odd)
		requireCode(t, webhook.NotFound, err)
		requireCode(t, webhook.NotFound, r.DeleteEndpoint(t.Context(), tenant, odd))
	}
}

// anyKey: what third parties call things is any text, and names that are bound are of any length.
func anyKey(t *testing.T, s Store) {
	r := open(t, s)
	for i, key := range []string{"\x00", "\x00\x00", "\xff", "ключ 😀", strings.Repeat("k", 512)} {
		m := echo.Value{Tenant: tenant, Application: "crm", Key: key, Hash: "blue"}
		w := echo.Write{Value: m, EventID: fmt.Sprintf("evt_w%d", i), EndpointID: id(1)}
		require.NoError(t, r.Remember(t.Context(), w, born))
		for range 2 {
			ruling := must(r.Rule(t.Context(), echo.Report{Value: m, EventID: fmt.Sprintf("evt_r%d", i)}, born))(t)
			requireEcho(t, w.EventID, ruling)
		}
	}
	long := strings.Repeat("0123456789abcdef", 4096)
	for i, name := range []string{"", "\x00", "\xff", long, long + "x"} {
		content := fmt.Sprintf("c%d", i)
		for _, other := range []string{content, "other"} {
			require.Equal(t, content, must(r.BindOnce(t.Context(), "src_1", name, other, born.Add(time.Hour), born))(t))
		}
	}
}
