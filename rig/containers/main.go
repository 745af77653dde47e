// Command containers runs a command beside an Apache Kafka in a container: `containers go test ./...`. The command finds
// the broker in MILLRACE_TEST_ON and MILLRACE_TEST_KAFKA; the container is removed when it ends, however it ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: containers COMMAND [ARGUMENT ...]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		os.Exit(1) // the command has said why
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "containers:", err)
		os.Exit(1)
	}
}

// run starts the broker, runs the command and removes the broker.
func run(ctx context.Context, command []string) (err error) {
	broker, err := startKafka(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.remove()) }()
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.Env = append(os.Environ(), "MILLRACE_TEST_ON=containers", "MILLRACE_TEST_KAFKA="+broker.address)
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	return child.Run()
}
