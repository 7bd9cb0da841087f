package gateway_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

var update = flag.Bool("update", false, "write the golden files")

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.do("GET", "=/openapi.json", "", "Authorization", "")
	require.Equal(t, 200, w.Code)
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, w.Body.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), w.Body.String(), "go test ./gateway -run TestOpenAPI -update")
}

// document is what the tests look at of the OpenAPI document.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct{ Properties map[string]json.RawMessage }
	}
}

// TestDocumentedFieldsAreTheAcceptedOnes holds the document and the parsers together, both ways.
func TestDocumentedFieldsAreTheAcceptedOnes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	doc := read[document](t, r.do("GET", "=/openapi.json", ""), 200)
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	id := r.endpoint(`{"url":"https://example.com"}`)
	for schema, to := range map[string][2]string{
		"NewEvent": {"POST", "/events"}, "NewEndpoint": {"POST", "/endpoints"},
		"EndpointChange": {"PATCH", "/endpoints/" + id}, "SecretRotation": {"POST", "/endpoints/" + id + "/secret/rotate"},
		"Instruction": {"POST", "/events/" + unknownEvent + "/deliveries/" + id + "/cancel"}, "Release": {"POST", "/approvals/" + id + "/approve"},
		"Redelivery": {"POST", "/events/" + unknownEvent + "/redeliver"}, "NewRecovery": {"POST", "/endpoints/" + id + "/recover"},
		"NewPortalLink": {"POST", "/endpoints/" + id + "/portal"}, "NewOwnerPortalLink": {"POST", "/portal/links"}, "PortalSettingsChange": {"PATCH", "/portal/settings"},
		"NewSource": {"POST", "/sources"}, "SourceChange": {"PATCH", "/sources/" + r.source(githubSource)},
	} {
		known := doc.Components.Schemas[schema].Properties
		require.NotEmpty(t, known, schema)
		for name := range known {
			p := refused(t, r.do(to[0], to[1], `{"`+name+`":[{}]}`), 422, webhook.Invalid)
			require.NotContains(t, p.Detail, "is not a field", schema)
		}
		p := refused(t, r.do(to[0], to[1], `{"surprise":1}`), 422, webhook.Invalid)
		_, listed, _ := strings.Cut(strings.TrimSuffix(p.Detail, ")"), "(")
		for name := range strings.SplitSeq(listed, ", ") {
			require.True(t, known[name] != nil || schema == "EndpointChange" && name == "secret" || schema == "SourceChange" && name == "provider", "%s of %s", name, schema)
		}
	}
}

func TestEveryOperationSaysItsScopeAndItsProblems(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	doc := read[document](t, r.do("GET", "=/openapi.json", ""), 200)
	count := 0
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			var op struct {
				Description string
				Security    []map[string][]string
				Responses   map[string]json.RawMessage
			}
			require.NoError(t, json.Unmarshal(raw, &op))
			require.Contains(t, op.Description, "Scope: `", method+path)
			require.NotEmpty(t, op.Security)
			for _, status := range []string{"401", "403", "422", "500", "503"} {
				require.Contains(t, string(op.Responses[status]), "application/problem+json", method+path)
			}
			count++
		}
	}
	require.Equal(t, 47, count)
}
