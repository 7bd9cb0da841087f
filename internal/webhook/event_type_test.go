package webhook_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hookloop/internal/webhook"
)

func TestCheckEventType(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"a", "contact.updated", "a_b.c_1", "_", "-", "0.0", "a.b.c.d", "A", "order-created", "user.Created",
		"invoice.payment-succeeded", strings.Repeat("a", 128),
	} {
		require.NoError(t, webhook.CheckEventType(good), good)
	}
	for _, bad := range []string{
		"", ".", "a.", ".a", "a..b", "contact:updated", "contact updated", "a.b\n", "\na", "é", "a/b", "a*", "a.*", "*", "'", strings.Repeat("a", 129),
	} {
		err := webhook.CheckEventType(bad)
		require.ErrorContains(t, err, "type must be words of letters, digits, - and _, separated by dots", bad)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	}
}

func TestTypePatterns(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"order.paid.late", "order.paid.*", "order.*", "*"}, webhook.TypePatterns("order.paid.late"))
	require.Equal(t, []string{"order.paid.late", "order.paid.*", "order.*"}, webhook.NamedPatterns("order.paid.late"))
	require.Equal(t, []string{"a"}, webhook.NamedPatterns("a"))
	for _, good := range []string{"*", "a", "a.*", "Order-1.paid.*", strings.Repeat("a", 128) + ".*"} {
		require.True(t, webhook.IsTypePattern(good), good)
	}
	for _, bad := range []string{"", ".*", "*.*", "a*", "a.**", "*.a", "a.*.b", "a.", "**", strings.Repeat("a", 129) + ".*"} {
		require.False(t, webhook.IsTypePattern(bad), bad)
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	require.True(t, webhook.Endpoint{}.Wants("a"))
	e := webhook.Endpoint{EventTypes: []string{"order.*", "contact.updated"}}
	for eventType, want := range map[string]bool{
		"order.paid": true, "order.paid.late": true, "contact.updated": true,
		"order": false, "orders.paid": false, "contact": false, "contact.updated.again": false, "Order.paid": false,
	} {
		require.Equal(t, want, e.Wants(eventType), eventType)
	}
}

func TestEveryPatternOfATypeIsOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		eventType := strings.Join(rapid.SliceOfN(rapid.StringMatching(`[A-Za-z0-9_-]{1,8}`), 1, 9).Draw(t, "words"), ".")
		for _, p := range webhook.TypePatterns(eventType) {
			require.True(t, webhook.IsTypePattern(p), p)
			require.True(t, webhook.Endpoint{EventTypes: []string{p}}.Wants(eventType), p)
		}
	})
}
