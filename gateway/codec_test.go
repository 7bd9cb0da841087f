package gateway_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/gateway/problem"
	"hookloop/internal/codec"
	"hookloop/internal/keyring"
)

// TestCodecIsForAuditorsOfEveryTenant: a payload does not tell whose it is.
func TestCodecIsForAuditorsOfEveryTenant(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) {
		h, err := codec.NewHandler(codec.HandlerConfig{Codec: codec.Clear(), Authorize: auth.CodecAccess(c.Auth), Refuse: problem.Refuse, Origins: []string{"https://ui.example.com"}})
		require.NoError(t, err)
		c.Codec = h
	})
	decode := func() *httptest.ResponseRecorder {
		return r.do("POST", "=/codec/decode", `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ=="}]}`, "Origin", "https://ui.example.com")
	}
	claims := everything()
	refused(t, decode(), 403, api.MissingScope)
	claims["scope"] = api.AuditRead
	r.token = sign(t, claims)
	w := decode()
	require.Equal(t, 200, w.Code, w.Body.String())
	require.Contains(t, strings.ReplaceAll(w.Body.String(), " ", ""), `"data":"MQ=="`)
	require.Equal(t, "https://ui.example.com", w.Header().Get("Access-Control-Allow-Origin"))
	claims["tenants"] = []string{"acme"}
	r.token = sign(t, claims)
	refused(t, decode(), 403, api.WrongTenant)
	r.token = "nonsense"
	refused(t, decode(), 401, api.Unauthenticated)
	require.Equal(t, http.StatusNotFound, newRig(t).do("POST", "=/codec/decode", "{}").Code, "without it there is none")
}

// TestADecodedPayloadIsALine in the audit of every tenant, before it is shown; what was never
// encrypted is none.
func TestADecodedPayloadIsALine(t *testing.T) {
	t.Parallel()
	keys, err := keyring.New()
	require.NoError(t, err)
	c, err := codec.New(keys)
	require.NoError(t, err)
	sealed, err := c.Encode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"Zoë"`)}})
	require.NoError(t, err)
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: sealed})
	require.NoError(t, err)
	var registry *fakeRegistry
	r := newRigWith(t, func(g *gateway.Config) {
		registry = g.Registry.(*fakeRegistry)
		h, err := codec.NewHandler(codec.HandlerConfig{Codec: c, Authorize: auth.CodecAccess(g.Auth), Refuse: problem.Refuse, Opened: auth.CodecReads(g.Auth, g.Registry)})
		require.NoError(t, err)
		g.Codec = h
	})
	r.token = sign(t, with(jwt.MapClaims{"scope": api.AuditRead}))
	require.Equal(t, 200, r.do("POST", "=/codec/decode", `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ=="}]}`).Code)
	require.Empty(t, registry.recorded)
	w := r.do("POST", "=/codec/decode", string(body))
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "Ilpvw6si")
	require.Equal(t, []string{"* payload-read  by tester"}, registry.recorded)
	registry.down = errors.New("no")
	w = r.do("POST", "=/codec/decode", string(body))
	require.Equal(t, 429, w.Code)
	require.NotContains(t, w.Body.String(), "Ilpvw6si", "what cannot be noted is not shown")
}
