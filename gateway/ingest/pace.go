package ingest

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// A body has bodyPatience, and a second more for each minPace bytes that have come: the largest has
// two minutes, and one that stops coming does not hold its place. What a stranger sends is waited
// for less long.
const (
	bodyPatience      = 10 * time.Second
	strangersPatience = time.Second
	minPace           = 256 << 10
)

// coming is a body that must keep coming.
type coming struct {
	body       io.Reader
	connection *http.ResponseController
	until, set time.Time

	answerTimeout time.Duration
}

// comes gives the body of a request a deadline by its progress.
func (r *Receiver) comes(c *gin.Context, patience time.Duration) *coming {
	return &coming{
		body: c.Request.Body, connection: http.NewResponseController(c.Writer), until: time.Now().Add(patience), answerTimeout: r.cfg.AnswerTimeout, // a connection's deadline is by the machine's clock
	}
}

// Read moves the deadline. A writer without one, as in tests, waits for as long as it takes.
func (b *coming) Read(p []byte) (int, error) {
	if b.until.Sub(b.set) > time.Second/4 {
		_ = b.connection.SetReadDeadline(b.until)
		b.set = b.until
	}
	n, err := b.body.Read(p)
	b.until = b.until.Add(time.Duration(n) * time.Second / minPace)
	return n, err
}

// arrived ends the deadline, and begins the one of the answer.
func (b *coming) arrived() {
	_ = b.connection.SetReadDeadline(time.Time{}) // as in Read
	_ = b.connection.SetWriteDeadline(time.Now().Add(b.answerTimeout))
}

const forwardedFor = "X-Forwarded-For"

// clientOf names who sends, for their share: an address, or the network that one customer of an
// IPv6 provider has for themselves. Behind a proxy that is not named in TrustedProxies, it is the
// proxy.
func clientOf(c *gin.Context) string {
	if all := c.Request.Header.Values(forwardedFor); len(all) > 1 { // the last proxy's line counts most
		c.Request.Header.Set(forwardedFor, strings.Join(all, ", "))
	}
	addr, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return "client unknown"
	}
	bits := 32
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		bits = 64
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return "client unknown"
	}
	return "client " + network.String()
}
