package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	assets "go.temporal.io/server/schema"
)

const (
	executions = "temporal"
	visibility = "temporal_visibility"
	// always is a database that every PostgreSQL server has.
	always = "postgres"
)

// schema is one database's, as Temporal's own sql tool would make it: the tool itself is a command
// line that ends the process when something is wrong.
type schema struct{ database, folder string }

var schemas = []schema{
	{executions, "postgresql/v12/temporal/versioned"},
	{visibility, "postgresql/v12/visibility/versioned"},
}

// update makes the database if there is none, and applies what versions it lacks.
func (s schema) update(postgres *url.URL, logger log.Logger) error {
	if err := s.create(postgres, logger); err != nil {
		return err
	}
	db, err := openAdmin(postgres, s.database, logger)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.CreateSchemaVersionTables(); err != nil {
		return err
	}
	current, err := db.ReadSchemaVersion(s.database)
	if err != nil { // there is none yet
		current = "0.0"
	}
	steps, err := s.stepsAfter(current)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := s.apply(db, step, current); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		current = strings.TrimPrefix(step, "v")
	}
	return nil
}

func (s schema) create(postgres *url.URL, logger log.Logger) error {
	db, err := openAdmin(postgres, always, logger)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.CreateDatabase(s.database)
}

func openAdmin(postgres *url.URL, database string, logger log.Logger) (sqlplugin.AdminDB, error) {
	return sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, store(postgres, database), resolver.NewNoopResolver(), logger, metrics.NoopMetricsHandler)
}

// stepsAfter are the folders of newer versions, oldest first.
func (s schema) stepsAfter(version string) ([]string, error) {
	entries, err := fs.ReadDir(assets.Assets(), s.folder)
	if err != nil {
		return nil, err
	}
	var steps []string
	for _, e := range entries {
		if compareVersions(e.Name(), version) > 0 {
			steps = append(steps, e.Name())
		}
	}
	slices.SortFunc(steps, compareVersions)
	return steps, nil
}

func compareVersions(a, b string) int {
	return slices.CompareFunc(numbers(a), numbers(b), cmp.Compare[int])
}

func numbers(version string) (all []int) {
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		n, _ := strconv.Atoi(part) // the folders' names are numbers
		all = append(all, n)
	}
	return all
}

// manifest says what belongs to a version.
type manifest struct {
	CurrVersion          string
	MinCompatibleVersion string
	Description          string
	SchemaUpdateCqlFiles []string
}

func (s schema) apply(db sqlplugin.AdminDB, step, from string) error {
	content, err := fs.ReadFile(assets.Assets(), path.Join(s.folder, step, "manifest.json"))
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return err
	}
	for _, file := range m.SchemaUpdateCqlFiles {
		content, err := fs.ReadFile(assets.Assets(), path.Join(s.folder, step, file))
		if err != nil {
			return err
		}
		statements, err := persistence.LoadAndSplitQueryFromReaders([]io.Reader{bytes.NewReader(content)})
		if err != nil {
			return err
		}
		for _, statement := range statements {
			// A run that was cut off has done some of them.
			if err := db.Exec(statement); err != nil && !strings.Contains(err.Error(), "already exist") {
				return err
			}
		}
	}
	if err := db.UpdateSchemaVersion(s.database, m.CurrVersion, m.MinCompatibleVersion); err != nil {
		return err
	}
	return db.WriteSchemaUpdateLog(from, m.CurrVersion, "", m.Description)
}
