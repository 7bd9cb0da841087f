package webhook

import (
	"net/url"
	"time"
)

// EndpointName is what people know an endpoint by, and how it stands.
type EndpointName struct {
	ID, URL, Description string

	State           EndpointState
	StateReason     string
	BreakerOpenedAt time.Time // when a worker last reported it failing; zero since it recovered
}

// Host is where the endpoint is; a URL may hold credentials, its host does not.
func (n EndpointName) Host() string { return HostOf(n.URL) }

// HostOf is the host of a URL, with the port if it names one.
func HostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Host
}
