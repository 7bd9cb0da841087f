package wires

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// prefixOf gives each process a part of the network set apart for measurements (RFC 2544), to which
// no route leads: tests of several packages run beside each other.
func prefixOf(process int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(process), 0}), 24)
}

// mtu is as large as a packet may be: fewer of them pass through this process.
const mtu = 16 << 10

// Network is a running one.
type Network struct {
	t      testing.TB
	prefix netip.Prefix
	cables cables

	mu    sync.Mutex
	nodes map[netip.Addr]*Node
}

// Node is a place in the network.
type Node struct {
	Address string // its IP

	addr  netip.Addr
	space *os.File // its network namespace; nil: this process's own
	wire  *os.File // what leaves it, and what comes to it
}

// New makes a network of one node, which is this process. It goes with the test. Where it cannot be
// made the test is skipped, and says so.
func New(t testing.TB, seed uint64) *Network {
	t.Helper()
	n := &Network{
		t: t, prefix: prefixOf(os.Getpid()), nodes: map[netip.Addr]*Node{},
		cables: cables{bad: map[way]Cable{}, chance: rand.New(rand.NewPCG(seed, seed))}, //nolint:gosec // to be repeated, not kept secret
	}
	t.Cleanup(n.close)
	here := &Node{addr: n.prefix.Addr().Next()}
	err := here.plug(n.prefix)
	for errors.Is(err, unix.EBUSY) { // another process's
		n.prefix = prefixOf(rand.IntN(256))
		here.addr = n.prefix.Addr().Next()
		err = here.plug(n.prefix)
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		t.Skipf("NOT TESTED: cut networks need root and /dev/net/tun: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.add(here)
	return n
}

// Prefix is of all its addresses.
func (n *Network) Prefix() string { return n.prefix.String() }

// Here is the node that this process is.
func (n *Network) Here() *Node { return n.nodes[n.prefix.Addr().Next()] }

// Node adds one, in a network namespace of its own.
func (n *Network) Node() *Node {
	n.t.Helper()
	n.mu.Lock()
	addr := n.prefix.Addr().Next()
	for n.nodes[addr] != nil {
		addr = addr.Next()
	}
	n.mu.Unlock()
	node := &Node{addr: addr}
	done := make(chan error)
	go func() { // the thread stays in the namespace, and ends with this goroutine
		runtime.LockOSThread()
		done <- node.make(n.prefix)
	}()
	if err := <-done; err != nil {
		n.t.Fatalf("a network namespace: %v", err)
	}
	n.add(node)
	return node
}

func (n *Network) add(node *Node) {
	node.Address = node.addr.String()
	n.mu.Lock()
	n.nodes[node.addr] = node
	n.mu.Unlock()
	go n.carry(node)
}

// Set makes the way from one node to another such a cable; the zero Cable is a sound one.
func (n *Network) Set(from, to *Node, is Cable) { n.cables.set(way{from.addr, to.addr}, is) }

// Both does it in both directions.
func (n *Network) Both(a, b *Node, is Cable) {
	n.Set(a, b, is)
	n.Set(b, a, is)
}

// Lost counts the packets that did not arrive.
func (n *Network) Lost() int64 {
	n.cables.mu.Lock()
	defer n.cables.mu.Unlock()
	return n.cables.lost
}

// carry hands on what leaves a node.
func (n *Network) carry(from *Node) {
	buffer := make([]byte, mtu+100)
	for {
		size, err := from.wire.Read(buffer)
		if err != nil {
			return // it is unplugged
		}
		w, ok := ipv4(buffer[:size])
		if !ok || w.from != from.addr {
			continue
		}
		n.mu.Lock()
		to := n.nodes[w.to]
		n.mu.Unlock()
		late, arrives := n.cables.fare(w)
		if to == nil || !arrives {
			continue
		}
		if late == 0 {
			_, _ = to.wire.Write(buffer[:size]) // one that is full loses packets, as networks do
			continue
		}
		packet := slices.Clone(buffer[:size])
		time.AfterFunc(late, func() { _, _ = to.wire.Write(packet) })
	}
}

func (n *Network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, node := range n.nodes {
		_ = node.wire.Close()
		if node.space != nil {
			_ = node.space.Close()
		}
	}
}

// make leaves the calling thread in a new namespace, which it plugs in.
func (node *Node) make(prefix netip.Prefix) (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if node.space, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	if err := up("lo", netip.Prefix{}); err != nil {
		return err
	}
	return node.plug(prefix)
}

// plug makes the interface of the calling thread's namespace.
func (node *Node) plug(prefix netip.Prefix) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	name := fmt.Sprintf("hookloop%d.%d", node.addr.As4()[2], node.addr.As4()[3])
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = up(name, netip.PrefixFrom(node.addr, prefix.Bits()))
	}
	if err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("%s: %w", name, err)
	}
	node.wire = os.NewFile(uintptr(fd), name) // in the poller, so that Close ends a Read
	return nil
}

// up gives an interface its address, if it has none, and switches it on.
func up(name string, at netip.Prefix) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // it asked the kernel for things
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if at.IsValid() {
		if err := address(fd, request, at); err != nil {
			return err
		}
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

func address(fd int, request *unix.Ifreq, at netip.Prefix) error {
	for _, one := range []struct {
		call  uint
		value []byte
	}{{unix.SIOCSIFADDR, at.Addr().AsSlice()}, {unix.SIOCSIFNETMASK, net.CIDRMask(at.Bits(), 32)}} {
		if err := request.SetInet4Addr(one.value); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, one.call, request); err != nil {
			return err
		}
	}
	request.SetUint32(mtu)
	return unix.IoctlIfreq(fd, unix.SIOCSIFMTU, request)
}

// Enter takes the calling thread into the node's namespace, until leave is called on it: what the
// thread starts meanwhile lives there. The caller has locked its goroutine to the thread.
func (node *Node) Enter() (leave func(), err error) {
	if node.space == nil {
		return func() {}, nil
	}
	before, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	if err := unix.Setns(int(node.space.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, errors.Join(err, before.Close())
	}
	return func() {
		if unix.Setns(int(before.Fd()), unix.CLONE_NEWNET) != nil {
			panic("a thread cannot leave its network namespace")
		}
		_ = before.Close()
	}, nil
}
