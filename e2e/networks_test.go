package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestAllowedNetworks: in dev as in production, and each of the list.
func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	a := app{startIn(t, []string{"HOOKLOOP_ALLOW_NETWORKS=10.1.0.0/16, 192.168.7.0/24"}, filepath.Join(t.TempDir(), "data"))}
	for url, want := range map[string]int{
		"http://10.1.2.3/": http.StatusCreated, "http://192.168.7.9/": http.StatusCreated, "http://127.0.0.1:9/": http.StatusCreated,
		"http://10.2.0.1/": http.StatusUnprocessableEntity, "http://192.168.8.1/": http.StatusUnprocessableEntity, "http://169.254.169.254/": http.StatusUnprocessableEntity,
	} {
		a.call(t, want, http.MethodPost, "/endpoints", `{"url":"`+url+`"}`, nil)
	}
}
