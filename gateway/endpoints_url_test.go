package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/gateway"
	"hookloop/internal/webhook"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	local := newRigWith(t, func(c *gateway.Config) { c.AllowLoopback = true })
	body := func(url string) string { return `{"url":` + string(must(json.Marshal(url))) + `}` }
	for _, url := range []string{
		"", "example.com", "/hooks", "ftp://example.com", "javascript:alert(1)", "https://", "https://:443/x", "https://user@example.com",
		"https://user:hunter2@example.com", "https://example.com/#a", "https://example.com/#", "https://example.com:0", "https://example.com:70000",
		"https://example.com:", "https://exa mple.com", "https://example.com/\nx", "https://example.com/\x7f", "https://exa$mple.com", "https://\u2100.example",
		"https://example.com\\@evil.example/", "https://" + strings.Repeat("ü", 300) + ".example", "https://example.com/?" + strings.Repeat("ü", 400), "https://" + strings.Repeat("a", 2048),
		"http://10.0.0.1", "http://192.168.1.1:80/x", "http://172.16.0.1", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1",
		"http://0.0.0.0", "http://１０.0.0.1", "http://10。0。0。1/", "http://[fe80::1%eth0]", "http://10.0.0.1./", "http://224.0.0.1", "http://[fd00::1]", "http://[fe80::1%25eth0]", "http://[::ffff:10.0.0.1]", "http://[::]",
	} {
		for _, at := range []*rig{r, local} {
			w := at.do("POST", "/endpoints", body(url))
			require.Equal(t, "url", refused(t, w, 422, webhook.Invalid).Errors[0].Field, url)
			require.NotContains(t, w.Body.String(), "hunter2")
		}
	}
	for _, url := range []string{"http://127.0.0.1:8080/x", "http://localhost:1", "http://[::1]:1", "http://a.localhost", "http://localhost.", "http://ｌｏｃａｌｈｏｓｔ:1", "http://[::ffff:127.0.0.1]", "http://127.9.9.9"} {
		refused(t, r.do("POST", "/endpoints", body(url)), 422, webhook.Invalid)
		require.Equal(t, 201, local.do("POST", "/endpoints", body(url)).Code, url)
	}
	p := refused(t, r.do("POST", "/endpoints", `{"url":null}`), 422, webhook.Invalid)
	require.Equal(t, "url", p.Errors[0].Field)
}

// TestURLsAreNormal: a URL is kept as it is called, and what is encoded stays as it came.
func TestURLsAreNormal(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.AllowLoopback = true })
	for given, want := range map[string]string{
		"https://example.com":                                "https://example.com",
		" \thttps://example.com/a \r\n":                      "https://example.com/a",
		"HTTP://EXAMPLE.COM:8080/A?b=C":                      "http://example.com:8080/A?b=C",
		"http://8.8.8.8/":                                    "http://8.8.8.8/",
		"https://[2001:4860:4860::8888]:443/":                "https://[2001:4860:4860::8888]:443/",
		"http://ｌｏｃａｌｈｏｓｔ:1/x":                               "http://localhost:1/x",
		"https://bücher.example/ü":                           "https://xn--bcher-kva.example/%C3%BC",
		"https://B\u00dcCHER.Example./":                      "https://xn--bcher-kva.example./",
		"https://b%C3%BCcher.example":                        "https://xn--bcher-kva.example",
		"https://faß.example":                                "https://xn--fa-hia.example",
		"https://xn--bcher-kva.example":                      "https://xn--bcher-kva.example",
		"https://my_service-.r3---sn.example":                "https://my_service-.r3---sn.example",
		"https://a.example?name=Anna Maria":                  "https://a.example?name=Anna%20Maria",
		"https://a.example/?name=Zoë&q={\"a\":\"b|c\"}":      "https://a.example/?name=Zo%C3%AB&q=%7B%22a%22:%22b%7Cc%22%7D",
		"https://a.example/x?sig=a%2Bb%2fc%3D&d=a+b&u=a/b?c": "https://a.example/x?sig=a%2Bb%2fc%3D&d=a+b&u=a/b?c",
		"https://a.example/a%2Fb c?filter[a]=100%&z=%zz":     "https://a.example/a%2Fb%20c?filter%5Ba%5D=100%25&z=%25zz",
		"https://a.example/a//../b;v=1/(x)!*'":               "https://a.example/a//../b;v=1/(x)!*'",
		"https://a.example/?":                                "https://a.example/?",
	} {
		e := read[endpoint](t, r.do("POST", "/endpoints", `{"url":`+string(must(json.Marshal(given)))+`}`), 201)
		require.Equal(t, want, e.URL)
		patched := read[endpoint](t, r.do("PATCH", "/endpoints/"+e.ID, `{"url":`+string(must(json.Marshal(want)))+`}`), 200)
		require.Equal(t, want, patched.URL, "a normal URL stays as it is")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, want, http.NoBody)
		require.NoError(t, err)
		require.NotContains(t, req.URL.RequestURI(), " ")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
