package webhook

import (
	"encoding/json"
	"time"
)

// MarshalJSON writes the waits as Go durations ("5s"), as the API does: auditors read histories.
func (s Schedule) MarshalJSON() ([]byte, error) {
	waits := make([]string, len(s))
	for i, wait := range s {
		waits[i] = wait.String()
	}
	return json.Marshal(waits)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Schedule) UnmarshalJSON(b []byte) error {
	var waits []string
	if err := json.Unmarshal(b, &waits); err != nil {
		return err
	}
	*s = nil
	for _, wait := range waits {
		d, err := time.ParseDuration(wait)
		if err != nil {
			return err
		}
		*s = append(*s, d)
	}
	return nil
}
