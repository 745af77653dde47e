package rig

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Forward gives each connection that a listener takes one of its own from dial, and passes bytes on between the two. At
// the end of the test it closes the listener and all connections.
func Forward(t testing.TB, listener net.Listener, dial func(ctx context.Context, addr string) (net.Conn, error)) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			group.Go(func() { pass(ctx, conn, dial) })
		}
	})
}

func pass(ctx context.Context, from net.Conn, dial func(ctx context.Context, addr string) (net.Conn, error)) {
	to, err := dial(ctx, "")
	if err != nil {
		_ = from.Close() // who asks sees a connection that ends
		return
	}
	closeBoth := func() { _, _ = from.Close(), to.Close() }
	defer context.AfterFunc(ctx, closeBoth)()
	var group sync.WaitGroup
	for _, way := range []struct{ to, from net.Conn }{{to, from}, {from, to}} {
		group.Go(func() {
			_, _ = io.Copy(way.to, way.from) // ends when either end does
			closeBoth()
		})
	}
	group.Wait()
}
