// Package usage reads what a process has taken, from /proc: benchmarks tell what the processes that they measure take.
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

// Usage is what a process has taken so far, and holds now.
type Usage struct {
	CPU       time.Duration // in user and kernel mode
	Written   int64         // bytes to a disk
	Resident  int64         // bytes
	Anonymous int64         // bytes of them that no file is behind
}

// Of returns the usage of a process.
func Of(pid int) (Usage, error) {
	cpu, err := CPU(pid)
	if err != nil {
		return Usage{}, err
	}
	memory, err := Lines(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, err
	}
	written, err := Lines(fmt.Sprintf("/proc/%d/io", pid))
	return Usage{CPU: cpu, Written: written["write_bytes"], Resident: memory["VmRSS"] << 10, Anonymous: memory["RssAnon"] << 10}, err
}

// CPU returns the processor time that a process has taken, in user and kernel mode.
func CPU(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return time.Duration(number(fields[11])+number(fields[12])) * clockTick, nil
}

// Machine returns the processor time that everything on the machine has taken.
func Machine() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("reading what the machine has taken: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 {
		return 0, errors.New("reading what the machine has taken: too few fields in stat")
	}
	var ticks int64
	for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal; not idle and iowait
		ticks += number(fields[i])
	}
	return time.Duration(ticks) * clockTick, nil
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

// OnlyChild returns the process that a process has started, which must be one.
func OnlyChild(parent int) (int, error) {
	children, err := Children(parent)
	if err == nil && len(children) != 1 {
		err = fmt.Errorf("process %d has %d children, where one was expected", parent, len(children))
	}
	if err != nil {
		return 0, err
	}
	return children[0], nil
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

// Lines reads the numbers of a file with lines such as "VmRSS:  123 kB", as many of those below /proc are.
func Lines(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading what a process has taken: %w", err)
	}
	found := map[string]int64{}
	for line := range bytes.Lines(text) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		if fields := bytes.Fields(rest); len(fields) > 0 {
			found[string(name)] = number(fields[0])
		}
	}
	return found, nil
}

// number returns 0 for what is none: the fields of the kernel that are numbers are so always.
func number(text []byte) int64 {
	value, _ := strconv.ParseInt(string(text), 10, 64)
	return value
}
