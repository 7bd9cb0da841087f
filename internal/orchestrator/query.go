package orchestrator

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
)

// query is a question to the visibility store, in its language. It is made of the names in package
// workflows and of values, which are quoted here and nowhere else.
type query string

// where is what all conditions hold for.
func where(conditions ...query) query { return joined(" AND ", conditions) }

// either is what one of the conditions holds for.
func either(conditions ...query) query { return "(" + joined(" OR ", conditions) + ")" }

// running is the runs that have not ended, ended those that have.
const (
	running query = "ExecutionStatus = 'Running'"
	ended   query = "ExecutionStatus != 'Running'"
)

// ofType is the runs of workflows of these types.
func ofType(types ...string) query {
	if len(types) == 1 {
		return "WorkflowType = " + quoted(types[0])
	}
	return "WorkflowType IN " + list(types)
}

func is(k temporal.SearchAttributeKeyKeyword, value string) query {
	return query(k.GetName()) + " = " + quoted(value)
}

func isNot(k temporal.SearchAttributeKeyKeyword, value string) query {
	return query(k.GetName()) + " != " + quoted(value)
}

func isIn(k temporal.SearchAttributeKeyKeyword, values ...string) query {
	return query(k.GetName()) + " IN " + list(values)
}

func idIn(workflowIDs []string) query { return "WorkflowId IN " + list(workflowIDs) }

func idBegins(with string) query { return "WorkflowId STARTS_WITH " + quoted(with) }

// started compares when a run began, closed when it ended: with <, >, <= or >=. What still runs has
// no end.
func started(than string, t time.Time) query { return "StartTime " + query(than) + " " + moment(t) }

func closed(than string, t time.Time) query { return "CloseTime " + query(than) + " " + moment(t) }

func moment(t time.Time) query { return quoted(t.UTC().Format(time.RFC3339Nano)) }

func list(values []string) query {
	all := make([]query, len(values))
	for i, v := range values {
		all[i] = quoted(v)
	}
	return "(" + joined(", ", all) + ")"
}

// escapes keep a value from ending its quotes. No id, type or state has any of them.
var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func quoted(value string) query { return query("'" + escapes.Replace(value) + "'") }

func joined(by string, all []query) query {
	parts := make([]string, len(all))
	for i, q := range all {
		parts[i] = string(q)
	}
	return query(strings.Join(parts, by))
}
