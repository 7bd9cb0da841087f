package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// port is an address held by a listener of ours until the moment Temporal opens it itself: it can
// only be told numbers, and a number that is taken ends its process.
type port struct {
	ip       string
	number   int
	listener net.Listener
}

func (p *port) address() string { return net.JoinHostPort(p.ip, strconv.Itoa(p.number)) }

func (p *port) release() {
	if p.listener != nil {
		_ = p.listener.Close() // nothing was accepted on it
		p.listener = nil
	}
}

// handOver gives the listener itself away, to a server of ours.
func (p *port) handOver() net.Listener {
	l := p.listener
	p.listener = nil
	return l
}

// ports are all the addresses of an engine; ui is nil without a UI.
type ports struct {
	frontend, history, matching, worker, ui *port
}

func reserve(ctx context.Context, cfg Config) (_ *ports, err error) {
	p := &ports{}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	if p.frontend, err = listen(ctx, cfg.Listen); err != nil {
		return nil, fmt.Errorf("Temporal: %w", err) //nolint:staticcheck // a name
	}
	if cfg.UIListen != "" {
		if p.ui, err = listen(ctx, cfg.UIListen); err != nil {
			return nil, fmt.Errorf("Temporal UI: %w", err) //nolint:staticcheck // likewise
		}
	}
	for _, inner := range []**port{&p.history, &p.matching, &p.worker} {
		if *inner, err = listen(ctx, net.JoinHostPort(p.frontend.ip, "0")); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// release gives every address back that has not been yet.
func (p *ports) release() {
	p.releaseServer()
	if p.ui != nil {
		p.ui.release()
	}
}

func (p *ports) releaseServer() {
	for _, one := range []*port{p.frontend, p.history, p.matching, p.worker} {
		if one != nil {
			one.release()
		}
	}
}

// listen refuses what is not loopback: any program that reaches this Temporal may read and steer
// everything.
func listen(ctx context.Context, address string) (*port, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", address, err)
	}
	if !addr.IP.IsLoopback() {
		return nil, fmt.Errorf("address %s: not loopback, and the embedded Temporal has no authentication", address)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", address, cause(err))
	}
	_, number, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		addr.Port, err = strconv.Atoi(number)
	}
	return &port{ip: addr.IP.String(), number: addr.Port, listener: l}, err
}

// cause drops the "listen tcp 127.0.0.1:7233: bind" before the part people need.
func cause(err error) error {
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err
	}
	return err
}
