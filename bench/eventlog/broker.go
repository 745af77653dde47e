package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"

	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/rig/lifetime"
)

// brokerArgument makes this program the broker, with its directory after it. It has a process of its own so that its CPU
// time is not the event log's.
const brokerArgument = "broker"

// serveBroker tells its address and serves until the standard input ends.
func serveBroker(ctx context.Context, dir string) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	started, err := embedded.Start(ctx, embedded.Options{DataDir: dir, Kafka: &embedded.KafkaConfig{Listen: "127.0.0.1:0"}}, logger)
	if err != nil {
		return err
	}
	defer started.Close()
	if _, err := fmt.Println(started.Brokers[0]); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// broker is that process.
type broker struct {
	address  string
	pid      int
	command  *exec.Cmd
	lifeline io.Closer
}

func startBroker(dir string) (*broker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, brokerArgument, dir)
	command.Stderr = os.Stderr
	lifetime.EndWithParent(command)
	lifeline, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	b := &broker{pid: command.Process.Pid, command: command, lifeline: lifeline}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for the broker: %w", err), b.close())
	}
	b.address = strings.TrimSpace(line)
	return b, nil
}

func (b *broker) close() error {
	_ = b.lifeline.Close() // it may have ended
	return b.command.Wait()
}
