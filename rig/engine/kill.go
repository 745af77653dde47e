package engine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Kill ends the engine's process at once. Whoever supervises it starts another, five times a minute at most.
func (e Engine) Kill() error {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, process := range processes {
		if pid, _ := strconv.Atoi(filepath.Base(process)); e.isChild(pid) {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return errors.New("the engine has no process")
}

// isChild tells whether pid is our own child and works in the engine's directory.
func (e Engine) isChild(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) {
		return false
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(environ, []byte(e.Dir))
}
