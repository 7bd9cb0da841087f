package webhook

import "regexp"

// maxName is the length of Temporal's fairness keys, in bytes.
const maxName = 64

var name = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$`)

// CheckTenant refuses what cannot stand in a workflow ID, in the name of a file or as a Temporal
// fairness key.
func CheckTenant(s string) error { return checkName("tenant", s) }

// CheckApplication refuses, by the same grammar, what cannot name an application.
func CheckApplication(s string) error { return checkName("application", s) }

func checkName(field, s string) error {
	if len(s) > maxName || !name.MatchString(s) {
		return Invalidf(field, "must be 1 to %d letters, digits, -, _ or single dots, begin with a letter or digit, and not end with a dot", maxName)
	}
	return nil
}
