package webhook

// EchoPaths say, as two jq expressions over a body, which object it is about and which value that
// object has.
type EchoPaths struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// IsZero says whether nothing is said.
func (p EchoPaths) IsZero() bool { return p == EchoPaths{} }

// RequestShape is what an endpoint wants instead of our envelope, for APIs that cannot be taught to
// receive webhooks. Path and Body are jq expressions over the envelope.
type RequestShape struct {
	Method string `json:"method,omitempty"` // empty: POST
	Path   string `json:"path,omitempty"`   // gives a list of segments that follow the URL's path
	Body   string `json:"body,omitempty"`   // gives the JSON to send
}

// IsZero says whether the endpoint takes the envelope as it is.
func (s RequestShape) IsZero() bool { return s == RequestShape{} }
