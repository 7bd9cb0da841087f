package gateway_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/npmtest"
)

// TestOpenAPILintsClean has redocly look at the document: what it warns of, readers and generators
// of clients stumble over.
func TestOpenAPILintsClean(t *testing.T) {
	t.Parallel()
	dir := npmtest.Install(t, "testdata/redocly")
	document, err := filepath.Abs("testdata/openapi.json")
	require.NoError(t, err)
	lint := exec.CommandContext(t.Context(), "node", "lint.js", document)
	lint.Dir = dir
	found, err := lint.CombinedOutput()
	require.NoError(t, err, "%s", found)
	require.Empty(t, string(found))
}
