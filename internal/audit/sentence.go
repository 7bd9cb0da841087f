package audit

import (
	"strings"

	"hookloop/internal/webhook"
)

// sentences are the change log's lines with a sentence each.
func sentences(all []Line) []Line {
	for i := range all {
		if all[i].Detail == "" {
			all[i].Detail = sentence(all[i])
		}
	}
	return all
}

// sentence tells a change: of what is new only where it leads, of other changes each field.
func sentence(l Line) string {
	if l.Kind == webhook.AuditEndpointDeleted || l.Kind == webhook.AuditSourceDeleted {
		return ""
	}
	var parts []string
	for _, c := range l.Changes {
		created := l.Kind == webhook.AuditEndpointCreated || l.Kind == webhook.AuditSourceCreated
		if created && c.Field != "url" && c.Field != "provider" && c.Field != "name" {
			continue
		}
		parts = append(parts, changed(c))
	}
	return strings.Join(parts, "; ")
}

func changed(c webhook.AuditChange) string {
	switch {
	case c.From == "" && c.To == "":
		return c.Field + " changed"
	case c.From == "":
		return c.Field + " " + c.To
	case c.To == "":
		return c.Field + " " + c.From + " → not set"
	}
	return c.Field + " " + c.From + " → " + c.To
}
