package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/millrace/millrace/rig/lifetime"
)

// server is a process that was started here. It ends when its standard input does.
type server struct {
	process       *exec.Cmd
	input         io.Closer
	address, path string
}

// startServer starts this program as one of its children and waits for the line that says where it listens.
func (w *world) startServer(command *exec.Cmd) (*server, error) {
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s, err := w.startProcess(command)
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, errors.New("it ended before it listened")
	}
	s.address, s.path, _ = strings.Cut(strings.TrimSpace(line), " ")
	return s, nil
}

// startPatience is how long a peer may take until it listens.
const startPatience = 30 * time.Second

// startPeer starts a program that listens where it was told, and waits until it does.
func (w *world) startPeer(ctx context.Context, command *exec.Cmd, address, path string) (*server, error) {
	s, err := w.startProcess(command)
	if err != nil {
		return nil, err
	}
	s.address, s.path = address, path
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("it did not listen on %s within %s", address, startPatience))
	defer cancel()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return s, connection.Close()
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// startProcess starts a program, which the world ends when it is closed.
func (w *world) startProcess(command *exec.Cmd) (*server, error) {
	s := &server{process: command}
	command.Stderr = os.Stderr
	lifetime.EndWithParent(command)
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true // in a group of its own a program does not hear a Ctrl-C, which would end all of them at once
	var err error
	if s.input, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	w.closers = append(w.closers, s.stop)
	return s, nil
}

// stopPatience is how long a process may take to end.
const stopPatience = 20 * time.Second

func (s *server) stop() error {
	late := time.AfterFunc(stopPatience, func() { _ = s.process.Process.Kill() }) // it may end just now
	defer late.Stop()
	if err := errors.Join(s.input.Close(), s.process.Wait()); err != nil {
		return fmt.Errorf("stopping %s: %w", s.process.Path, err)
	}
	return nil
}

// clockTick is the unit of CPU times in /proc, USER_HZ: 100 per second on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// cpu returns the CPU time the child has used, user and system: fields 14 and 15 of /proc/PID/stat, see proc(5).
func (s *server) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, field 3 comes first
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is cut", s.process.Process.Pid)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, err
}

// freeAddress returns a loopback address that nobody listens on at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
