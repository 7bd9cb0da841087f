//go:build !linux

package wires

import "testing"

// Network is a running one, which needs Linux.
type Network struct{}

// Node is a place in the network.
type Node struct{ Address string }

// New skips the test.
func New(t testing.TB, _ uint64) *Network {
	t.Helper()
	t.Skip("NOT TESTED: cut networks need Linux")
	return nil
}

// Prefix is of all its addresses.
func (*Network) Prefix() string { return "" }

// Here is the node that this process is.
func (*Network) Here() *Node { return nil }

// Node adds one.
func (*Network) Node() *Node { return nil }

// Set makes the way from one node to another such a cable.
func (*Network) Set(_, _ *Node, _ Cable) {}

// Both does it in both directions.
func (*Network) Both(_, _ *Node, _ Cable) {}

// Lost counts the packets that did not arrive.
func (*Network) Lost() int64 { return 0 }

// Enter takes the calling thread into the node's namespace.
func (*Node) Enter() (leave func(), err error) { return func() {}, nil }
