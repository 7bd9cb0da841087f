package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
)

// refusedIsNoEcho: a value that an application refused was not written by us when a person sets it
// there: all hear of that.
func refusedIsNoEcho(t *testing.T, a app) {
	const echo = `,"application":"crm","echo":{"key":".data.id","value":".data.status"}`
	a.listen(t, endpointtest.Config{Script: "400"}, echo+`,"schedule":["0s"],"event_types":["order.paid"]`)
	other, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["crm.*"]`)
	url := a.createSource(t, "hmac", `{"kind":"token","header":"X-Token","secrets":["crm's token"],"type_path":"type","repeats":"none"}`)
	a.call(t, http.StatusOK, http.MethodPatch, "/sources/"+url[strings.LastIndex(url, "/")+1:],
		`{"type_prefix":"crm","application":"crm","echo":{"key":".id","value":".status"}}`, nil)
	require.Equal(t, "failed", a.ended(t, a.post(t, `{"type":"order.paid","data":{"id":7,"status":"paid"}}`).ID).Status)
	const report = `{"type":"changed","id":7,"status":"paid"}`
	require.Equal(t, 200, post(t, url, map[string]string{"X-Token": "crm's token"}, report))
	a.requireOneEvent(t, other, "crm.changed", report)
}
