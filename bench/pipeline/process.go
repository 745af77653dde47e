package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/millrace/millrace/rig/lifetime"
)

// process is a program that was started here, and is ended here by its ID.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	err     error // how it ended, once it has
}

// startProcess starts a program in dir, without the settings that this one was given. It lives no longer than this one.
func startProcess(dir, name string, args ...string) (*process, error) {
	p := &process{command: exec.Command(name, args...), ended: make(chan struct{})}
	p.command.Dir, p.command.Stderr = dir, os.Stderr
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MILLRACE_") {
			p.command.Env = append(p.command.Env, variable)
		}
	}
	lifetime.EndWithParent(p.command)
	if p.command.SysProcAttr == nil {
		p.command.SysProcAttr = &syscall.SysProcAttr{}
	}
	p.command.SysProcAttr.Setpgid = true // in a group of its own a program does not hear a Ctrl-C, which would end all of them at once
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s (make build): %w", name, err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.command.Wait()
	}()
	return p, nil
}

// runProcess runs a program to its end.
func runProcess(ctx context.Context, dir, name string, args ...string) error {
	p, err := startProcess(dir, name, args...)
	if err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.stop()
		return context.Cause(ctx)
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), p.err)
	}
	return nil
}

func (p *process) pid() int { return p.command.Process.Pid }

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
