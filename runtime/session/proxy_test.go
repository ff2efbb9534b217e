package session_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"rig/runtime/session"
)

// proxy stands between a session and the server. What the server says passes through a link's fault.
type proxy struct {
	listener net.Listener
	target   *session.Config

	links sync.WaitGroup
	fault atomic.Pointer[armed] // of the links that are opened from now on

	mu   sync.Mutex
	open map[net.Conn]struct{} // guarded by mu
}

// breakage is what happens to one link, counted in the bytes of the server.
type breakage struct {
	from    int  // the first byte that it hits, from the moment that it is armed
	cut     bool // the link is closed
	reset   bool // the client sees a reset
	silence bool // nothing more passes
	flip    byte // the byte is changed by this
}

// armed is a breakage that counts once it is armed.
type armed struct {
	breakage
	armed  atomic.Bool
	passed atomic.Int64 // bytes since then
}

func newFault(b breakage, now bool) *armed {
	f := &armed{breakage: b}
	f.armed.Store(now)
	return f
}

// newProxy listens on a unix socket.
func newProxy(t testing.TB, target session.Config) *proxy {
	t.Helper()
	return startProxy(t, target, "unix", filepath.Join(t.TempDir(), "p"))
}

// newTCPProxy can reset.
func newTCPProxy(t testing.TB, target session.Config) *proxy {
	t.Helper()
	return startProxy(t, target, "tcp", "127.0.0.1:0")
}

func startProxy(t testing.TB, target session.Config, network, addr string) *proxy {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: &target, open: map[net.Conn]struct{}{}}
	p.links.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.links.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.target.Network, p.target.Address)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		f := p.fault.Load()
		p.links.Go(func() { p.pass(server, client, nil) })
		p.links.Go(func() { p.pass(client, server, f) })
	}
}

// pass copies from src to dst.
func (p *proxy) pass(dst, src net.Conn, f *armed) {
	defer func() {
		dst.Close()
		src.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		b := buf[:n]
		if f != nil && f.armed.Load() {
			var stop bool
			if b, stop = f.apply(b); stop {
				dst.Write(b)
				p.end(dst, src, f)
				return
			}
		}
		if _, werr := dst.Write(b); werr != nil || err != nil {
			return
		}
	}
}

func (f *armed) apply(b []byte) (pass []byte, stop bool) {
	at := f.from - int(f.passed.Load())
	f.passed.Add(int64(len(b)))
	if at < 0 || at >= len(b) {
		return b, false
	}
	if f.flip != 0 {
		b[at] ^= f.flip
		return b, false
	}
	return b[:at], true
}

func (p *proxy) end(dst, src net.Conn, f *armed) {
	switch {
	case f.reset:
		if t, ok := dst.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
	case f.silence:
		io.Copy(io.Discard, src) // until one side closes
	}
}

// dial is for Config.Dial: every session but the first connection, which is the side connection, goes through the proxy.
func (p *proxy) dial() func(ctx context.Context, network, addr string) (net.Conn, error) {
	var n atomic.Int64
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		if n.Add(1) == 1 {
			return d.DialContext(ctx, network, addr)
		}
		return d.DialContext(ctx, p.listener.Addr().Network(), p.listener.Addr().String())
	}
}
