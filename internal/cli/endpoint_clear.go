package cli

import (
	"slices"
	"strings"

	"hookloop/internal/terminal"
)

// clearable are the fields that have a default to go back to.
var clearable = []string{
	"event_types", "description", "headers", "metadata", "schedule", "timeout", "rate_limit", "approval", "application", "echo", "request",
}

// clearableNames is what --clear takes, for people.
var clearableNames = strings.Join(clearable, ", ") + ", headers.NAME, metadata.KEY, approval.after, approval.timeout"

// isClearableEntry says whether the field has entries that are cleared one by one, and this may be one.
func isClearableEntry(field, key string) bool {
	switch field {
	case "headers", "metadata":
		return key != ""
	case "approval":
		return key == "after" || key == "timeout"
	}
	return false
}

// cleared puts a null for each field and each entry that --clear names.
func (e *endpointFlags) cleared(all map[string]any) error {
	for _, name := range e.clear {
		field, key, isEntry := strings.Cut(name, ".")
		entries, hasEntries := all[field].(map[string]any)
		switch {
		case isEntry && !isClearableEntry(field, key), !slices.Contains(clearable, field):
			return terminal.Usage("--clear takes %s, not %q", clearableNames, name)
		case isEntry && entries[key] != nil, !isEntry && all[field] != nil:
			return terminal.Usage("%s is set and cleared at once", name)
		case isEntry && hasEntries:
			entries[key] = nil
		case isEntry:
			all[field] = map[string]any{key: nil}
		default:
			all[field] = nil
		}
	}
	return nil
}
