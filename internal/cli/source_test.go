package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	sourcesURI = " /v1/tenants/demo/sources"
	oneSource  = `{"id":"src_1","provider":"github","name":"code","config":{"secrets": ["***","***"]},"type_prefix":"github",
	"ingest_url":"https://hooks.example.com/in/src_1","version":1,"unknown_here":1.10}`
	shownSource = `id           src_1
provider     github
name         code
ingest url   https://hooks.example.com/in/src_1
config       {"secrets":["***","***"]}
type prefix  github
`
)

// runWith is run with something on standard input.
func (g *standIn) runWith(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := New("test")
	root.SetArgs(append(args, "--data", g.data))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	require.NoError(t, root.ExecuteContext(t.Context()))
	return out.String()
}

func TestSourceCreate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(" s3\"cr<3t\n"), 0o600))
	config := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"verify_token": "v"}`), 0o600))
	tests := map[string]struct {
		args []string
		body string
	}{
		"a secret":    {[]string{"--secret", " a"}, `{"provider":"p","config":{"secrets":[" a"]}}`},
		"a file":      {[]string{"--secret-file", file}, `{"provider":"p","config":{"secrets":["s3\"cr<3t"]}}`},
		"more":        {[]string{"--secret", "a", "--secret-file", file, "--secret", "b"}, `{"provider":"p","config":{"secrets":["a","b","s3\"cr<3t"]}}`},
		"config":      {[]string{"--config", ` {"expiration": 1790000000, "a": null}`}, `{"provider":"p","config":{"expiration":1790000000,"a":null}}`},
		"config file": {[]string{"--config-file", config}, `{"provider":"p","config":{"verify_token":"v"}}`},
		"all of it": {
			[]string{"--config", `{"allow_sha1": true}`, "--config-file", config, "--secret", "a"},
			`{"provider":"p","config":{"allow_sha1":true,"verify_token":"v","secrets":["a"]}}`,
		},
		"nothing in it": {[]string{"--config", "{}"}, `{"provider":"p","config":{}}`},
		"fields": {
			[]string{"--name", "n", "--type-prefix", "a.b", "--application", "crm", "--echo-key", ".id", "--echo-value", ".", "--secret", "a"},
			`{"provider":"p","name":"n","type_prefix":"a.b","application":"crm","echo":{"key":".id","value":"."},"config":{"secrets":["a"]}}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"POST" + sourcesURI: {{status: 201, body: oneSource}}})
			g.run(t, append([]string{"source", "create", "--provider", "p"}, tt.args...)...).ok(t)
			require.JSONEq(t, tt.body, g.last(t).body)
		})
	}
}

func TestSourceFromStandardInput(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"POST" + sourcesURI: {{status: 201, body: oneSource}}})
	g.runWith(t, "s3cr3t\n", "source", "create", "--provider", "github", "--secret-file", "-")
	require.JSONEq(t, `{"provider":"github","config":{"secrets":["s3cr3t"]}}`, g.last(t).body)
	g.runWith(t, `{"consumer_secret": "s"}`, "source", "create", "--provider", "x", "--config-file", "-")
	require.JSONEq(t, `{"provider":"x","config":{"consumer_secret":"s"}}`, g.last(t).body)
}

func TestSourceCreateShowsWhatToDoNext(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"POST" + sourcesURI: {{status: 201, body: oneSource}}})
	create := []string{"source", "create", "--provider", "github", "--secret", "s3cr3t"}
	require.Equal(t, shownSource+`
Next: in GitHub, Settings > Webhooks > Add webhook: https://hooks.example.com/in/src_1 and the same secret
`, g.run(t, create...).ok(t))
	require.Contains(t, g.run(t, append(create, "--json")...).ok(t), `"unknown_here": 1.10`)

	local := strings.NewReplacer("https://hooks.example.com", "http://127.0.0.1:8080", "github", "stripe").Replace(oneSource)
	g.set("POST"+sourcesURI, canned{status: 201, body: local})
	out := g.run(t, create...).ok(t)
	require.Contains(t, out, "Add destination: http://127.0.0.1:8080/in/src_1; then give its secret: hookloop source update src_1 --secret-file -\n")
	require.Contains(t, out, "\nOnly this machine reaches 127.0.0.1:8080: ")
	require.NotContains(t, out, "s3cr3t")

	g.set("POST"+sourcesURI, canned{status: 201, body: strings.ReplaceAll(oneSource, "github", "unheard-of")})
	require.Contains(t, g.run(t, create...).ok(t), "\nNext: tell the third party https://hooks.example.com/in/src_1\n")

	g.set("POST"+sourcesURI, canned{status: 422, body: `{"code":"invalid_field","detail":"provider must be one of github"}`})
	require.Equal(t, "provider must be one of github (invalid_field, HTTP 422)", g.run(t, create...).fails(t, 1))
}

func TestSourceUpdate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args   []string
		config string // the source's, as it is shown; empty: it is not looked at
		body   string
	}{
		"fields":  {[]string{"--name", "", "--type-prefix", "a"}, "", `{"name":"","type_prefix":"a"}`},
		"echo":    {[]string{"--application", "crm", "--echo-key", ".id", "--echo-value", "."}, "", `{"application":"crm","echo":{"key":".id","value":"."}}`},
		"null":    {[]string{"--clear", "echo", "--clear", "application", "--clear", "type_prefix"}, "", `{"echo":null,"application":null,"type_prefix":null}`},
		"config":  {[]string{"--config", `{"webhook_id":"w"}`}, "", `{"config":{"webhook_id":"w"}}`},
		"whole":   {[]string{"--config", `{"allow_sha1":true}`, "--secret", "a"}, "", `{"config":{"allow_sha1":true,"secrets":["a"]}}`},
		"secrets": {[]string{"--secret", "new", "--secret", "old", "--name", "n"}, `{"secrets":["***"]}`, `{"name":"n","config":{"secrets":["new","old"]}}`},
		"secrets alone are replaced": {
			[]string{"--secret", "new"},
			`{"kind":"hmac","secrets":["***","***"],"header":"X-<A>","tolerance":"5m"}`,
			`{"config":{"kind":"hmac","secrets":["new"],"header":"X-<A>","tolerance":"5m"}}`,
		},
		"they were none": {[]string{"--secret", "new"}, `{"public_keys":["whpk_a"]}`, `{"config":{"public_keys":["whpk_a"],"secrets":["new"]}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"PATCH" + sourcesURI + "/src_1": {{body: oneSource}}})
			if tt.config != "" {
				g.set("GET"+sourcesURI+"/src_1", canned{body: `{"config":` + tt.config + `}`})
			}
			require.Equal(t, shownSource, g.run(t, append([]string{"source", "update", "src_1"}, tt.args...)...).ok(t))
			require.JSONEq(t, tt.body, g.last(t).body)
		})
	}
}

// A secret outside the list is shown as *** only: sent back like that it would be lost.
func TestSourceUpdateDoesNotLoseASecret(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET" + sourcesURI + "/src_1": {{body: `{"config":{"secrets":["***"],"verify_token":"***"}}`}},
		"GET" + sourcesURI + "/src_3": {{body: `{"config":7}`}},
	})
	require.Equal(t, "the config of src_1 holds another secret, verify_token, which the gateway does not show: give the whole config, by --config-file",
		g.run(t, "source", "update", "src_1", "--secret", "new").fails(t, 2))
	require.Equal(t, "GET", g.last(t).method)
	require.Contains(t, g.run(t, "source", "update", "src_2", "--secret", "new").fails(t, 1), "(not_found, HTTP 404)")
	require.Contains(t, g.run(t, "source", "update", "src_3", "--secret", "new").fails(t, 1), "not understood")
}

func TestSourceReadsAndDeletes(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET" + sourcesURI + "/src_1":    {{body: oneSource}},
		"GET" + sourcesURI + "/a%2F..":   {{body: oneSource}},
		"DELETE" + sourcesURI + "/src_1": {{status: 204}},
		"GET" + sourcesURI:               {{body: `{"data":[` + oneSource + `],"next_cursor":"c1"}`}},
	})
	require.Equal(t, shownSource, g.run(t, "source", "get", "src_1").ok(t))
	require.Contains(t, g.run(t, "source", "get", "src_1", "--json").ok(t), `"unknown_here": 1.10`)
	g.run(t, "source", "get", "a/..").ok(t)
	g.set("GET"+sourcesURI+"/src_1", canned{body: `{"id":"src_1","application":"crm","echo":{"key":".id","value":"."}}`})
	require.Contains(t, g.run(t, "source", "get", "src_1").ok(t), "application  crm\necho         key .id\necho         value .\n")

	require.Equal(t, "deleted src_1\n", g.run(t, "source", "delete", "src_1").ok(t))
	require.JSONEq(t, `{"id":"src_1","deleted":true}`, g.run(t, "source", "delete", "src_1", "--json").ok(t))
	require.Contains(t, g.run(t, "source", "delete", "src_2").fails(t, 1), "(not_found, HTTP 404)")

	r := g.run(t, "source", "list", "--limit", "1")
	require.Equal(t, "ID     PROVIDER  NAME  INGEST URL\nsrc_1  github    code  https://hooks.example.com/in/src_1\n", r.stdout)
	require.Equal(t, "There is more: hookloop source list --cursor c1, or --all\n", r.stderr)
	require.Equal(t, "/v1/tenants/demo/sources?limit=1", g.last(t).uri)
}

func TestSourceFlagsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte(" \n"), 0o600))
	binary := filepath.Join(t.TempDir(), "binary")
	require.NoError(t, os.WriteFile(binary, []byte("s3cr3t\xff"), 0o600))
	config := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"secrets":["s3cr3t"]}`), 0o600))
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"frobnicate"},
		{"create"},
		{"create", "--secret", "s3cr3t"},
		{"create", "--provider", "github"},
		{"create", "--provider", "github", "--secret", "s3cr3t", "extra"},
		{"create", "--provider", "github", "--secret-file", empty},
		{"create", "--provider", "github", "--secret-file", binary},
		{"create", "--provider", "github", "--secret-file", "-", "--secret-file", "-"},
		{"create", "--provider", "github", "--secret-file", "-", "--config-file", "-"},
		{"create", "--provider", "github", "--config", ""},
		{"create", "--provider", "github", "--config", `["s3cr3t"]`},
		{"create", "--provider", "github", "--config", `{"secrets":["s3cr3t"]`},
		{"create", "--provider", "github", "--config", `{"secrets":["s3cr3t"],"secrets":[]}`},
		{"create", "--provider", "github", "--config", `{"secrets":null}`, "--config-file", config},
		{"create", "--provider", "github", "--config-file", config, "--secret", "s3cr3t"},
		{"create", "--provider", "github", "--config-file", empty},
		{"create", "--provider", "github", "--secret", "s3cr3t", "--echo-key", ".id"},
		{"create", "--provider", "github", "--secret", "s3cr3t", "--clear", "echo"},
		{"get"},
		{"list", "src_1"},
		{"list", "--limit", "0"},
		{"delete", "src_1", "src_2"},
		{"update", "src_1"},
		{"update", "--name", "n"},
		{"update", "src_1", "--provider", "slack"},
		{"update", "src_1", "--clear", "config"},
		{"update", "src_1", "--clear", "echo.key"},
		{"update", "src_1", "--clear", "echo", "--echo-key", ".id", "--echo-value", "."},
		{"update", "src_1", "--clear", "application", "--application", "crm"},
	} {
		require.NotContains(t, g.run(t, append([]string{"source"}, args...)...).fails(t, 2), "s3cr3t", args)
	}
	for _, flag := range []string{"--secret-file", "--config-file"} {
		line := g.run(t, "source", "create", "--provider", "github", flag, empty+"x").fails(t, 1)
		require.Contains(t, line, flag+": open ")
	}
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, bytes.Repeat([]byte("s3cr3t"), 200_000), 0o600))
	line := g.run(t, "source", "create", "--provider", "github", "--secret-file", large).fails(t, 1)
	require.Equal(t, "--secret-file "+large+": is larger than 1048576 bytes, the most the gateway takes", line)
	require.Empty(t, g.requests)
}
