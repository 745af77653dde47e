package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/millrace/millrace/embedded/chdb"
)

// engine is the embedded ClickHouse in a process of its own, with a TCP port in front. What passes the port costs this
// process, which is the sender, and not the engine.
type engine struct {
	server   *chdb.Server
	listener net.Listener
	group    sync.WaitGroup
	stop     context.CancelFunc
}

// runEngine is the engine's process.
func runEngine() error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(context.Background(), options)
}

// engineMemory is what `millrace dev` gives it.
const engineMemory = 1_500_000_000

func startEngine(ctx context.Context, library, dir string) (*engine, error) {
	path, err := chdb.Locate(ctx, chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: library})
	if err != nil {
		return nil, err
	}
	server, err := chdb.Start(ctx, chdb.Options{
		LibPath: path, Path: filepath.Join(dir, "clickhouse"), MaxServerMemoryUsage: engineMemory, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		server.Close()
		return nil, err
	}
	forwarding, stop := context.WithCancel(context.WithoutCancel(ctx))
	e := &engine{server: server, listener: listener, stop: stop}
	e.group.Go(func() { e.forward(forwarding) })
	return e, nil
}

func (e *engine) address() string { return e.listener.Addr().String() }

func (e *engine) close() {
	e.stop()
	_ = e.listener.Close()
	e.group.Wait()
	e.server.Close()
}

func (e *engine) forward(ctx context.Context) {
	for {
		from, err := e.listener.Accept()
		if err != nil {
			return // closed
		}
		e.group.Go(func() {
			to, err := e.server.DialContext(ctx, "")
			if err != nil {
				_ = from.Close() // who asks sees a connection that ends
				return
			}
			pass(ctx, from, to)
		})
	}
}

// pass copies both ways until either end is closed.
func pass(ctx context.Context, from, to net.Conn) {
	closeBoth := func() { _ = errors.Join(from.Close(), to.Close()) }
	defer context.AfterFunc(ctx, closeBoth)()
	var group sync.WaitGroup
	for _, way := range [][2]net.Conn{{to, from}, {from, to}} {
		group.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // ends when either end does
			closeBoth()
		})
	}
	group.Wait()
}
