// Package deploy_test holds the image, CI and the modules to what they promise each other.
package deploy_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
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

// testModules hold what only tests need.
var testModules = []string{"../e2e/go.mod", "../e2e/compose/go.mod", "../deploy/tests/go.mod"}

// TestModulesAgree: every module has the versions of the product's. Temporal would otherwise be
// compiled for each, and tests would run what is not shipped. `make tidy` keeps them so.
func TestModulesAgree(t *testing.T) {
	t.Parallel()
	ours := versions(t, "../go.mod")
	require.Contains(t, ours, "go.temporal.io/server")
	for _, mod := range testModules {
		shared := 0
		for path, version := range versions(t, mod) {
			if want, ok := ours[path]; ok {
				shared++
				require.Equal(t, want, version, "%s: %s", mod, path)
			}
		}
		require.NotZero(t, shared, mod)
	}
}

// versions are those that a go.mod requires and replaces.
func versions(t *testing.T, mod string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\t?(\S+\.\S+/\S+) (v\S+)`).FindAllStringSubmatch(text(t, mod), -1) {
		all[m[1]] = m[2]
	}
	return all
}

// TestGoIsEnough: what README says is all that is needed is all that is needed. GOTOOLCHAIN=local
// fetches no other, and a module that asks for a newer one would move go.mod's line.
func TestGoIsEnough(t *testing.T) {
	t.Parallel()
	version := found(t, "../README.md", `you need Go (\d+\.\d+\.\d+)`)
	for _, mod := range slices.Concat([]string{"../go.mod", "../tools/go.mod", "../tools/release/go.mod", "../e2e/docker/tools/go.mod", "../e2e/docker/temporal/go.mod"}, testModules) {
		require.Equal(t, version, found(t, mod, `(?m)^go (\S+)$`), mod)
		require.NotRegexp(t, `(?m)^toolchain `, text(t, mod), mod)
	}
	require.Equal(t, version, found(t, "../Dockerfile", `(?m)^ARG GO=golang:(\S+?)-`))
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

// TestImageTrustsACheckedBundle: the image has Debian's bundle of the day of its build, without the
// roots that are distrusted.
func TestImageTrustsACheckedBundle(t *testing.T) {
	t.Parallel()
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	dockerfile := text(t, "../Dockerfile")
	require.Regexp(t, `(?m)^ARG DEBIAN=debian:\S+$`, dockerfile)
	require.Regexp(t, `(?m)^FROM \$\{DEBIAN\} AS certificates\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates$`, dockerfile)
	require.Contains(t, dockerfile, "COPY --from=certificates "+bundle+" /debian.crt")
	require.Contains(t, dockerfile, "COPY deploy/roots/main.go .")
	require.Contains(t, dockerfile, "go run main.go /debian.crt /roots.crt")
	require.Contains(t, dockerfile, "COPY --from=roots /roots.crt "+bundle)
	require.Contains(t, text(t, "../.ci/run"), "go run ./deploy/roots "+bundle+" /dev/null")
}

// TestKeysStayOut of git and of the image.
func TestKeysStayOut(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"*.key", "*.secret"} {
		require.Contains(t, strings.Split(text(t, "../.gitignore"), "\n"), secret)
		require.Contains(t, strings.Split(text(t, "../.dockerignore"), "\n"), "**/"+secret)
	}
}
