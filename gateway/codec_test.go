package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/codec"
)

// TestCodecIsForAuditorsOfEveryTenant: a payload does not tell whose it is.
func TestCodecIsForAuditorsOfEveryTenant(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) {
		authorize, refuse := gateway.CodecAccess(c.Auth)
		h, err := codec.NewHandler(codec.HandlerConfig{Codec: codec.Clear(), Authorize: authorize, Refuse: refuse, Origins: []string{"https://ui.example.com"}})
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
