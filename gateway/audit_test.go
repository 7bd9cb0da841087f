package gateway_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/audit"
	"hookloop/internal/webhook"
)

// trails are two pages of one event.
type trails struct {
	asked []string
	err   error
}

func (l *trails) Event(_ context.Context, tenant, id string, after []byte) (audit.Page, error) {
	l.asked = append(l.asked, tenant+" "+id+" "+string(after))
	p := audit.Page{Lines: []audit.Line{{At: time.Unix(0, 0).UTC(), Kind: webhook.AuditAccepted, Actor: "shop"}}}
	if after == nil {
		p.Next = []byte("two")
	}
	return p, l.err
}

func (l *trails) Tenant(_ context.Context, tenant string, p webhook.AuditQuery, after []byte) (audit.Page, error) {
	l.asked = append(l.asked, tenant+" "+p.After.Format(time.DateTime)+" "+p.Before.Format(time.DateTime)+" "+string(after))
	return audit.Page{Next: []byte("two")}, l.err
}

// away is the error of something that cannot be reached.
type away struct{}

func (away) Error() string { return "no route to host" }
func (away) Away() string  { return "Temporal" }

func TestAudit(t *testing.T) {
	t.Parallel()
	l := &trails{}
	r := newRigWith(t, func(c *gateway.Config) { c.Audits = l })
	id := "evt_" + strings.Repeat("a", 26)
	get := func(query string) string { return "/events/" + id + "/audit" + query }
	refused(t, r.do("GET", get(""), ""), 403, api.MissingScope)

	claims := everything()
	claims["scope"] = api.AuditRead
	r.token = sign(t, jwt.MapClaims(claims))
	w := r.do("GET", get(""), "")
	require.Equal(t, 200, w.Code)
	var page struct {
		Data       []map[string]any
		NextCursor *string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
	require.Equal(t, []map[string]any{{"at": "1970-01-01T00:00:00Z", "kind": "accepted", "actor": "shop"}}, page.Data)
	require.Equal(t, 200, r.do("GET", get("?cursor="+*page.NextCursor), "").Code)
	require.Equal(t, []string{"acme " + id + " ", "acme " + id + " two"}, l.asked)

	refused(t, r.do("GET", get("?cursor=mine"), ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/events/evt_'/audit", ""), 404, webhook.NotFound)
	l.err = webhook.Errorf(webhook.NotFound, "no rows")
	refused(t, r.do("GET", get(""), ""), 404, webhook.NotFound)
	l.err = away{}
	refused(t, r.do("GET", get(""), ""), 503, api.Unavailable)
}

func TestAuditOfEverything(t *testing.T) {
	t.Parallel()
	l := &trails{}
	r := newRigWith(t, func(c *gateway.Config) { c.Audits = l })
	refused(t, r.do("GET", "/audit", ""), 403, api.MissingScope)

	claims := everything()
	claims["scope"] = api.AuditRead
	r.token = sign(t, jwt.MapClaims(claims))
	const day = "/audit?after=2026-02-03T01:00:00%2B01:00&before=2026-02-04T00:00:00Z"
	w := r.do("GET", day, "")
	require.Equal(t, 200, w.Code)
	var page struct {
		Data       []any
		NextCursor string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
	require.NotNil(t, page.Data)
	require.Equal(t, 200, r.do("GET", day+"&cursor="+page.NextCursor, "").Code)
	require.Equal(t, []string{"acme 2026-02-03 00:00:00 2026-02-04 00:00:00 ", "acme 2026-02-03 00:00:00 2026-02-04 00:00:00 two"}, l.asked)

	refused(t, r.do("GET", "/audit?cursor="+page.NextCursor, ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/audit?before=9999-12-31T23:00:00-02:00", ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/audit?after=yesterday", ""), 422, webhook.Invalid)
	l.err = away{}
	refused(t, r.do("GET", "/audit", ""), 503, api.Unavailable)
}
