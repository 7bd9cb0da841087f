// Package wires is a network whose cables a test holds in its hands. Each node has a network
// namespace of its own, with one interface; what leaves it comes to this process, which hands it on
// to the node it is for, or late, or now and then, or not at all, in either direction apart. The
// processes notice nothing but that. Where the test itself is, is a node too. It takes root and a
// Linux with TUN devices, and neither iproute2 nor a kernel that can delay and lose packets by
// itself. What runs on the nodes, and what must hold when a cable is cut, is the tests' business.
package wires

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Cable is how packets fare on their way from one node to another.
type Cable struct {
	Cut   bool
	Delay time.Duration
	Loss  float64 // the share that is lost, from 0 to 1
}

// way is one direction between two nodes.
type way struct{ from, to netip.Addr }

// cables are those that are not sound.
type cables struct {
	mu     sync.Mutex
	bad    map[way]Cable
	chance *rand.Rand
	lost   int64
}

// fare says whether a packet arrives, and how late.
func (c *cables) fare(w way) (late time.Duration, arrives bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	is, bad := c.bad[w]
	if !bad {
		return 0, true
	}
	if is.Cut || is.Loss > 0 && c.chance.Float64() < is.Loss {
		c.lost++
		return 0, false
	}
	return is.Delay, true
}

func (c *cables) set(w way, is Cable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if is == (Cable{}) {
		delete(c.bad, w)
		return
	}
	c.bad[w] = is
}

// ipv4 reads where a packet comes from and goes to.
func ipv4(packet []byte) (w way, ok bool) {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return w, false
	}
	return way{netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))}, true
}
