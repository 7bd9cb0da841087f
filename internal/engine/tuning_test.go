package engine_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/temporalio/sqlparser"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/namespace"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/persistence/visibility/store/query"
	visibilitysql "go.temporal.io/server/common/persistence/visibility/store/sql"
	"go.temporal.io/server/common/searchattribute"
	schema "go.temporal.io/server/schema/sqlite"
)

func TestPromisedListsUseAnIndex(t *testing.T) {
	t.Parallel()
	sharedEngine(t)
	db := visibility(t)
	const window = ` AND StartTime BETWEEN '2026-01-01T00:00:00Z' AND '2026-02-01T00:00:00Z'`
	for filter, indexes := range map[string][]string{
		``:                                {"default_idx"},
		`WorkflowId = 'event/acme/evt_1'`: {"by_workflow_id"},
		`WorkflowType = 'Approval'`:       {"by_workflow_type"},
		`WorkflowType = 'Approval' AND ExecutionStatus = 1`: {"by_workflow_type", "by_status"},
		`ExecutionStatus = 'Running'`:                       {"by_status"},
		`Tenant = 'acme'`:                                   {"by_keyword_01"},
		`Tenant = 'acme'` + window:                          {"by_keyword_01"},
		`Tenant = 'acme' AND StartTime < '2026-02-01T00:00:00Z' AND (CloseTime > '2026-01-01T00:00:00Z' OR ExecutionStatus = 'Running')`: {"by_keyword_01"},
		`Tenant = 'acme' AND EventType = 'contact.updated'`:                             {"by_keyword_01", "by_keyword_02"},
		`Tenant = 'acme' AND Outcome = 'failed'` + window:                               {"by_keyword_01", "by_keyword_04"},
		`EventType = 'contact.updated'`:                                                 {"by_keyword_02"},
		`Endpoint = 'ep_1'`:                                                             {"by_keyword_03"},
		`Outcome = 'awaiting-approval'`:                                                 {"by_keyword_04"},
		`StartTime > '2026-01-01T00:00:00Z'`:                                            {"default_idx"},
		`WorkflowType = 'Delivery' AND Tenant = 'acme' AND ExecutionStatus = 'Running'`: {"by_keyword_01", "by_status", "by_workflow_type"},
		`WorkflowType = 'Delivery' AND Tenant = 'acme' AND ExecutionStatus = 'Running' AND Endpoint = 'ep_1'`: {"by_keyword_01", "by_keyword_03", "by_status", "by_workflow_type"},
		`ParentWorkflowId = 'event/acme/evt_1'`:         {"by_parent_workflow_id"},
		`RootWorkflowId = 'event/acme/evt_1'`:           {"by_root_workflow_id"},
		`TemporalNamespaceDivision = 'TemporalBatcher'`: {"hookloop_namespace_division"},
	} {
		steps := explain(t, db, filter)
		require.Len(t, steps, 1, "%s: sorts or does more than one search: %q", filter, steps)
		require.True(t, strings.HasPrefix(steps[0], "SEARCH executions_visibility USING INDEX "), "%s: %s", filter, steps[0])
		used := strings.Fields(steps[0])[4]
		require.Contains(t, indexes, used, "%s: %s", filter, steps[0])
	}
}

func TestUnaskedIndexesAreGone(t *testing.T) {
	t.Parallel()
	sharedEngine(t)
	db := visibility(t)
	require.ElementsMatch(t, []string{
		"default_idx", "by_workflow_id", "by_workflow_type", "by_status", "by_parent_workflow_id", "by_root_workflow_id",
		"hookloop_namespace_division", "by_keyword_01", "by_keyword_02", "by_keyword_03", "by_keyword_04",
	}, texts(t, db, `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL`))
}

// TestSchemaEdition fails when Temporal brings another schema: count edition up, and give files of
// the one before a migration.
func TestSchemaEdition(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0.11", schema.Version)
	require.Equal(t, "0.1", schema.VisibilityVersion)
}

// explain plans the statement Temporal's visibility store makes of a list filter.
func explain(t *testing.T, db *sql.DB, filter string) []string {
	t.Helper()
	converter, err := visibilitysql.NewSQLQueryConverter(sqlite.PluginName)
	require.NoError(t, err)
	columns := aliases{"Tenant": "Keyword01", "EventType": "Keyword02", "Endpoint": "Keyword03", "Outcome": "Keyword04"}
	types := map[string]enumspb.IndexedValueType{}
	for _, field := range columns {
		types[field] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	params, err := query.NewQueryConverter(converter, namespace.Name("default"), searchattribute.NewNameTypeMap(types), columns,
		metrics.NoopMetricsHandler, log.NewNoopLogger()).Convert(filter)
	require.NoError(t, err)
	only, err := converter.ConvertComparisonExpr(sqlparser.EqualStr, query.NamespaceIDSAColumn, "some-id")
	require.NoError(t, err)
	params.QueryExpr, err = converter.BuildAndExpr(only, params.QueryExpr)
	require.NoError(t, err)
	statement, args := converter.BuildSelectStmt(params, 100, nil)

	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // Err says whether reading worked
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	return steps
}

// aliases maps the names of search attributes to their columns.
type aliases map[string]string

func (a aliases) GetFieldName(alias, _ string) (string, error) { return a[alias], nil }

func (a aliases) GetAlias(field, _ string) (string, error) {
	for alias, column := range a {
		if column == field {
			return alias, nil
		}
	}
	return field, nil
}

func visibility(t *testing.T) *sql.DB {
	t.Helper()
	uri := url.URL{Scheme: "file", Path: filepath.Join(shared.dir, "visibility.db"), RawQuery: "mode=ro"}
	db, err := sql.Open("sqlite", uri.String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func texts(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // Err says whether reading worked
	var out []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		out = append(out, text)
	}
	require.NoError(t, rows.Err())
	return out
}
