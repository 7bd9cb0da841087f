package deploy_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// found is the one group of a pattern in a file.
func found(t *testing.T, path, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text(t, path))
	require.NotNil(t, match, "%s has no %s", path, pattern)
	return match[1]
}

// TestGoIsEnough: what README says is all that is needed is all that is needed. GOTOOLCHAIN=local fetches no
// other, and a module that asks for a newer one would move go.mod's line.
func TestGoIsEnough(t *testing.T) {
	t.Parallel()
	version := found(t, "../README.md", `Go (\d+\.\d+\.\d+) is all it needs`)
	for _, mod := range []string{"../go.mod", "../tools/go.mod", "../e2e/compose/go.mod"} {
		require.Equal(t, version, found(t, mod, `(?m)^go (\S+)$`), mod)
		require.NotRegexp(t, `(?m)^toolchain `, text(t, mod), mod)
	}
	require.Equal(t, version, found(t, "../Dockerfile", `FROM golang:(\S+?)-`))
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.GoVersion}}{{end}}", "../cmd/hookloop")
	list.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := list.Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		if path, wants, _ := strings.Cut(strings.TrimSpace(line), " "); wants != "" {
			require.False(t, newer(wants, version), "%s wants Go %s", path, wants)
		}
	}
}

// newer compares versions of Go, 1.26 being 1.26.0.
func newer(a, b string) bool {
	x, y := strings.Split(a+".0", "."), strings.Split(b+".0", ".")
	for i := range 3 {
		if len(x[i]) != len(y[i]) {
			return len(x[i]) > len(y[i])
		}
		if x[i] != y[i] {
			return x[i] > y[i]
		}
	}
	return false
}

// TestImageTrustsACheckedBundle: the image has Debian's bundle of the day of its build, without the roots that are
// distrusted.
func TestImageTrustsACheckedBundle(t *testing.T) {
	t.Parallel()
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	dockerfile := text(t, "../Dockerfile")
	require.Regexp(t, `(?m)^FROM debian:\S+ AS certificates\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates$`, dockerfile)
	require.Contains(t, dockerfile, "COPY --from=certificates "+bundle+" /debian.crt")
	require.Contains(t, dockerfile, "go run ./deploy/roots /debian.crt /roots.crt")
	require.Contains(t, dockerfile, "COPY --from=build /roots.crt "+bundle)
	require.Contains(t, text(t, "../.ci/run"), "go run ./deploy/roots "+bundle+" /dev/null")
}

// TestKeysStayOut of git and of the image.
func TestKeysStayOut(t *testing.T) {
	t.Parallel()
	require.Contains(t, strings.Split(text(t, "../.gitignore"), "\n"), "*.key")
	require.Contains(t, strings.Split(text(t, "../.dockerignore"), "\n"), "**/*.key")
}
