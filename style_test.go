// Package hookloop_test holds the whole repository to rules of docs/style.md that no linter knows.
package hookloop_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTestsDoNotWaitForAGuess: a test lets time pass in a synctest bubble only, with time.Sleep. A
// helper that sleeps says "bubble" in its comment. Elsewhere a test waits for a condition.
func TestTestsDoNotWaitForAGuess(t *testing.T) {
	t.Parallel()
	files := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			files++
			requireNoGuess(t, path)
		}
		return nil
	}))
	require.Greater(t, files, 100)
}

func requireNoGuess(t *testing.T, path string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	require.NoError(t, err)
	raced := map[ast.Stmt]bool{} // waits that something else may end
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.Contains(f.Doc.Text(), "bubble") {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if isCall(n, "synctest", "Test") {
					return false // a bubble
				}
				if isCall(n, "time", "Sleep") {
					t.Errorf("%s: time.Sleep outside of a synctest bubble", set.Position(n.Pos()))
				}
			case *ast.CommClause:
				raced[n.Comm] = true
			case *ast.ExprStmt:
				if isAfter(n.X) && !raced[n] {
					t.Errorf("%s: <-time.After waits for a guess", set.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

func isAfter(e ast.Expr) bool {
	receive, ok := e.(*ast.UnaryExpr)
	if !ok || receive.Op != token.ARROW {
		return false
	}
	call, ok := receive.X.(*ast.CallExpr)
	return ok && isCall(call, "time", "After")
}

func isCall(c *ast.CallExpr, pkg, name string) bool {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != name {
		return false
	}
	x, ok := f.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// named is a file or folder of this repository, as the documents name one.
var named = regexp.MustCompile("`((?:cmd|api|client|gateway|workflows|activities|worker|internal|deploy|e2e|examples|tools|docs)/[\\w./-]+)`")

// TestDocsNameWhatExists: a reader who follows a path in README, CONTRIBUTING or docs finds
// something there.
func TestDocsNameWhatExists(t *testing.T) {
	t.Parallel()
	found := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				found++
				_, err := os.Stat(m[1])
				require.NoError(t, err, "%s names %s", page, m[1])
			}
		}
	}
	require.Greater(t, found, 50)
}
