package hookloop_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the arrows of .golangci.yml into docs/architecture.md")

// The arrows stand between these lines of docs/architecture.md.
const (
	arrowsBegin = "<!-- From .golangci.yml: go test . -run TestArrows -update -->\n```text\n"
	arrowsEnd   = "```\n<!-- The arrows end. -->\n"
)

// rule is a rule of depguard.
type rule struct {
	ListMode string `yaml:"list-mode"`
	Files    []string
	Allow    []string
	Deny     []struct{ Pkg string }
}

func (r rule) everywhere() bool { return r.Files[0] == "$all" }

// hasArrows says whether the rule allows imports of ours by name.
func (r rule) hasArrows() bool {
	return !r.everywhere() && (r.ListMode == "strict" || len(r.Deny) > 0 && r.Deny[0].Pkg == "hookloop/")
}

// house is the packages of this module and the arrows that depguard allows between them. A
// package stands for those in its folder that have no rule of their own.
type house struct {
	all    map[string][]string // for a package, what it may import
	exempt []string            // these may import everything
}

func readHouse(t *testing.T) house {
	t.Helper()
	rules := readRules(t)
	h := house{all: map[string][]string{}}
	allows := map[string][]string{}
	for _, r := range rules {
		for _, name := range r.packages(r.hasArrows()) {
			h.all[name], allows[name] = nil, r.Allow
		}
	}
	for _, name := range rules["unlisted"].exceptions() {
		if _, ruled := h.all[name]; !ruled {
			h.exempt = append(h.exempt, name)
		}
	}
	for _, folder := range goFolders(t) {
		if owner := h.owner(folder); owner == "" {
			h.all[short(folder)] = nil
		}
	}
	for name, allowed := range allows {
		h.all[name] = h.targets(name, allowed)
	}
	return h
}

func readRules(t *testing.T) map[string]rule {
	t.Helper()
	text, err := os.ReadFile(".golangci.yml")
	require.NoError(t, err)
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct{ Rules map[string]rule }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	require.Greater(t, len(config.Linters.Settings.Depguard.Rules), 20)
	return config.Linters.Settings.Depguard.Rules
}

// packages are those that a rule with arrows is for.
func (r rule) packages(arrows bool) (names []string) {
	if !arrows {
		return nil
	}
	for _, file := range r.Files {
		if folder, ours := strings.CutPrefix(file, "${config-path}/"); ours {
			names = append(names, short(folder))
		}
	}
	return names
}

// exceptions are the packages that a rule for all files leaves out.
func (r rule) exceptions() (names []string) {
	for _, file := range r.Files {
		if folder, out := strings.CutPrefix(file, "!${config-path}/"); out {
			names = append(names, short(folder))
		}
	}
	return names
}

// short is how a package, or a pattern of files, is called in the picture.
func short(folder string) string {
	folder = strings.TrimSuffix(strings.TrimSuffix(folder, "/**"), "/*.go")
	return strings.TrimPrefix(folder, "internal/")
}

// goFolders are the folders of this module that have code.
func goFolders(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(p)):
			return filepath.SkipDir
		case strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go"):
			found[path.Dir(filepath.ToSlash(p))] = true
		}
		return nil
	}))
	return slices.Sorted(maps.Keys(found))
}

func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// owner is the package of the picture that a folder belongs to; empty: it has no rule.
func (h house) owner(folder string) string {
	for name := short(folder); name != "."; name = path.Dir(name) {
		if _, ruled := h.all[name]; ruled || slices.Contains(h.exempt, name) {
			return name
		}
	}
	return ""
}

// targets are the packages that the patterns of a rule allow.
func (h house) targets(of string, allowed []string) (names []string) {
	for _, pattern := range allowed {
		prefix, ours := strings.CutPrefix(pattern, "hookloop/")
		if !ours {
			continue
		}
		exact, whole := strings.CutSuffix(prefix, "$")
		for name := range h.all {
			if name != of && (whole && name == h.owner(exact) || !whole && strings.HasPrefix(name, short(prefix))) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// floor is one more than that of the highest package it may import; without any, it is 0.
func (h house) floor(name string) int {
	floor := 0
	for _, target := range h.all[name] {
		floor = max(floor, 1+h.floor(target))
	}
	return floor
}

// String draws the arrows, floor by floor: all of them lead down.
func (h house) String() string {
	names := slices.SortedFunc(maps.Keys(h.all), func(a, b string) int {
		return cmp.Or(cmp.Compare(h.floor(b), h.floor(a)), cmp.Compare(a, b))
	})
	var s strings.Builder
	fmt.Fprintf(&s, "%-16s ──▶ everything\n", strings.Join(slices.Sorted(slices.Values(h.exempt)), ", "))
	var ground []string
	for i, name := range names {
		if len(h.all[name]) == 0 {
			ground = append(ground, name)
			continue
		}
		if i == 0 || h.floor(name) != h.floor(names[i-1]) {
			s.WriteString("\n")
		}
		fmt.Fprintf(&s, "%-16s ──▶ %s\n", name, strings.Join(h.all[name], ", "))
	}
	fmt.Fprintf(&s, "\n%s ──▶ none of ours\n", strings.Join(ground, ", "))
	return s.String()
}

// TestArrows: docs/architecture.md shows the arrows that depguard holds.
func TestArrows(t *testing.T) {
	t.Parallel()
	const doc = "docs/architecture.md"
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	before, rest, begins := strings.Cut(string(text), arrowsBegin)
	shown, after, ends := strings.Cut(rest, arrowsEnd)
	require.True(t, begins && ends, "%s has no place for the arrows", doc)
	want := readHouse(t).String()
	if *update {
		require.NoError(t, os.WriteFile(doc, []byte(before+arrowsBegin+want+arrowsEnd+after), 0o600))
		return
	}
	require.Equal(t, want, shown, "go test . -run TestArrows -update writes it")
}

// TestArrowsAreNeeded: what a rule allows is imported, and a package without a rule imports none
// of ours.
func TestArrowsAreNeeded(t *testing.T) {
	t.Parallel()
	h := readHouse(t)
	imported := map[string][]string{}
	for name := range h.all {
		imported[name] = nil
	}
	for _, folder := range goFolders(t) {
		from := h.owner(folder)
		for _, of := range imports(t, folder) {
			if to := h.owner(of); to != from && !slices.Contains(h.exempt, from) {
				imported[from] = append(imported[from], to)
			}
		}
	}
	for name, all := range imported {
		slices.Sort(all)
		imported[name] = slices.Compact(all)
	}
	require.Equal(t, h.all, imported)
}

// imports are the folders of this module that the code of one imports.
func imports(t *testing.T, folder string) (folders []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if of, ours := strings.CutPrefix(imported, "hookloop/"); ours {
				folders = append(folders, of)
			}
		}
	}
	return folders
}
