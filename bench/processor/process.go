package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/millrace/millrace/bench/usage"
	"github.com/millrace/millrace/rig/lifetime"
)

// process is a program that was started here, and is ended here by its ID.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	err     error // how it ended, once it has
}

func startProcess(ctx context.Context, command []string) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, command[0], command[1:]...), ended: make(chan struct{})}
	p.command.Stderr = os.Stderr
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = stopPatience
	lifetime.EndWithParent(p.command)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command[0], err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.command.Wait()
	}()
	return p, nil
}

// stopPatience is how long a program may take to end on SIGTERM.
const stopPatience = 30 * time.Second

// stop ends the program and waits for it. One that has ended already is not an error here.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(stopPatience):
		_ = p.command.Process.Kill() // it may end just now
		<-p.ended
	}
}

// cpu returns the processor time that the program has taken.
func (p *process) cpu() (time.Duration, error) { return usage.CPU(p.command.Process.Pid) }

// peakKiB returns the most memory that the program ever held.
func (p *process) peakKiB() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if rest, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			return strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64)
		}
	}
	return 0, errors.New("reading the peak memory: no VmHWM in status")
}
