// Package usage reads what a process has taken, from /proc: benchmarks tell the CPU time of the processes that they measure.
package usage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// clockTick is the unit of /proc/PID/stat, USER_HZ: 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// CPU returns the processor time that a process has taken, in user and kernel mode.
func CPU(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time: %w", err)
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time: %w", err)
	}
	return time.Duration(user+system) * clockTick, nil
}

// Children returns the processes that a process has started.
func Children(parent int) ([]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var children []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		fields, err := stat(pid)
		if err == nil && string(fields[1]) == strconv.Itoa(parent) { // one that has ended meanwhile is none
			children = append(children, pid)
		}
	}
	return children, nil
}

// stat returns the fields of /proc/PID/stat from the third on. The second, in brackets, may hold spaces.
func stat(pid int) ([][]byte, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("reading what a process has taken: %w", err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return nil, errors.New("reading what a process has taken: too few fields in stat")
	}
	return fields, nil
}
