package postgrestest

import (
	"cmp"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// errMissing is the one reason to skip a test.
var errMissing = errors.New("PostgreSQL 15 or newer is not installed: neither PATH nor " + debian +
	" has initdb and postgres (Debian, Ubuntu: apt-get install postgresql)")

// debian is where Debian keeps each version's programs, off the PATH.
const debian = "/usr/lib/postgresql/*/bin"

// programs are the paths of what a server is made with.
type programs struct{ initdb, postgres string }

// beside is another program of the version that is used: where that one lies, or on the PATH.
func (p programs) beside(name string) string {
	if postgres, err := filepath.EvalSymlinks(p.postgres); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(postgres), name)); err == nil {
			return path
		}
	}
	return name
}

// find looks on the PATH first: a version that stands there was chosen.
func find() (programs, error) {
	if postgres, err := exec.LookPath("postgres"); err == nil {
		if initdb, err := exec.LookPath("initdb"); err == nil {
			return programs{initdb: initdb, postgres: postgres}, nil
		}
	}
	all, err := filepath.Glob(debian)
	if err != nil {
		return programs{}, err
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	for _, bin := range all {
		p := programs{initdb: filepath.Join(bin, "initdb"), postgres: filepath.Join(bin, "postgres")}
		_, noInitdb := exec.LookPath(p.initdb)
		_, noPostgres := exec.LookPath(p.postgres)
		if noInitdb == nil && noPostgres == nil {
			return p, nil
		}
	}
	return programs{}, errMissing
}

func version(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}
