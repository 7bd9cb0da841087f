package api

import "encoding/json"

// EchoPaths are two jq expressions that say which object a body is about and which value that
// object has.
type EchoPaths struct {
	Key   string `json:"key" pattern:"\\S" patternDescription:"a jq expression like \".data.id\"" maxLength:"4096" doc:"jq: which object a body is about." example:".data.id"`
	Value string `json:"value" pattern:"\\S" patternDescription:"a jq expression like \".data.id\"" maxLength:"4096" doc:"jq: the value that object has: all that a person may edit and others should hear of." example:".data | {name, email}"`
}

// Echo says what an endpoint does with what comes back from its own application. In JSON it is
// true, false or the paths.
type Echo struct {
	Back  bool      // it also gets what came from its own application
	Paths EchoPaths // what is sent to it is remembered by them; zero: nothing is
}

// IsZero says whether it is neither.
func (e Echo) IsZero() bool { return e == Echo{} }

// MarshalJSON writes the paths, or else the boolean.
func (e Echo) MarshalJSON() ([]byte, error) {
	if e.Paths != (EchoPaths{}) {
		return json.Marshal(e.Paths)
	}
	return json.Marshal(e.Back)
}

// UnmarshalJSON reads either.
func (e *Echo) UnmarshalJSON(raw []byte) error {
	*e = Echo{}
	if json.Unmarshal(raw, &e.Back) == nil {
		return nil
	}
	return json.Unmarshal(raw, &e.Paths)
}
