// Command clickhouse stands in for the image clickhouse/clickhouse-server where that cannot be pulled: it serves
// ClickHouse's HTTP interface on port 8123 with the embedded engine, and asks for the one user and password that the image
// takes from its environment. The native protocol, users' rights and replication are not there.
package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/millrace/millrace/embedded/chdb"
)

const (
	library = "/usr/lib/libchdb.so"
	dataDir = "/var/lib/clickhouse"
	address = ":8123"
)

func main() {
	err := run()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "clickhouse:", err)
		os.Exit(1)
	}
}

func run() error {
	if chdb.IsChild() {
		options, err := chdb.ReadChildOptions()
		if err != nil {
			return err
		}
		return chdb.RunChild(context.Background(), options)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	engine, err := chdb.Start(ctx, chdb.Options{LibPath: library, Path: dataDir, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer engine.Close()
	server := &http.Server{Addr: address, Handler: handler(engine), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		select {
		case <-ctx.Done():
		case <-engine.Done():
		}
		_ = server.Close()
	}()
	return errors.Join(server.ListenAndServe(), engine.Err())
}

// handler passes on the requests of whoever knows the password.
func handler(engine *chdb.Server) http.Handler {
	user, password := os.Getenv("CLICKHOUSE_USER"), os.Getenv("CLICKHOUSE_PASSWORD")
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine"
			r.Out.Header.Del("Authorization")
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return engine.DialContext(ctx, addr) },
		},
		FlushInterval: -1, // answers are streams
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ping" || isRight(r, user, password) {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-ClickHouse-Exception-Code", "516")
		http.Error(w, "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)", http.StatusForbidden)
	})
}

func isRight(r *http.Request, user, password string) bool {
	gotUser, gotPassword, isBasic := r.BasicAuth()
	if !isBasic {
		gotUser, gotPassword = r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	}
	return subtle.ConstantTimeCompare([]byte(gotUser+"\x00"+gotPassword), []byte(user+"\x00"+password)) == 1
}
