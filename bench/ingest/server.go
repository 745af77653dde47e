package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// server is a child process that takes events. It ends when its standard input does.
type server struct {
	process       *exec.Cmd
	input         io.Closer
	address, path string
}

// start runs this command again as one of the servers and waits for the line that says where it listens.
func start(name string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{process: exec.Command(self, name)}
	s.process.Stderr = os.Stderr
	output, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.input, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s ended before it listened", name), s.process.Wait())
	}
	s.address, s.path, _ = strings.Cut(strings.TrimSpace(line), " ")
	return s, nil
}

func (s *server) stop() {
	if err := errors.Join(s.input.Close(), s.process.Wait()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/ingest: stopping:", err)
	}
}

// measure puts the server under load for a while.
func (s *server) measure(ctx context.Context, bodies [][]byte, connections int, length time.Duration) (turn, error) {
	before, err := s.cpu()
	if err != nil {
		return turn{}, err
	}
	began := time.Now()
	answered, err := post(ctx, s.address, s.path, bodies, connections, length)
	took := time.Since(began)
	if err != nil {
		return turn{}, err
	}
	after, err := s.cpu()
	if err != nil {
		return turn{}, err
	}
	if answered == 0 {
		return turn{}, errors.New("nothing was answered")
	}
	return turn{
		perSecond: float64(answered) / took.Seconds(),
		cpuMicros: float64((after - before).Microseconds()) / float64(answered),
	}, nil
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
