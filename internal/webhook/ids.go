package webhook

// What the ids of events, endpoints and sources begin with; 26 lower-case base32 characters follow.
const (
	EventPrefix    = "evt_"
	EndpointPrefix = "ep_"
	SourcePrefix   = "src_"
)
