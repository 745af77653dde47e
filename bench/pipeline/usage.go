package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// usage is what a process has taken so far, and holds now.
type usage struct {
	cpu       time.Duration
	written   int64 // bytes to a disk
	resident  int64 // bytes
	anonymous int64 // bytes of them that no file is behind
}

// clockTick is the unit of /proc/PID/stat, USER_HZ: 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

func usageOf(pid int) (usage, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	stat, err := readStat(dir)
	if err != nil {
		return usage{}, err
	}
	user, system := stat[11], stat[12]
	u := usage{cpu: time.Duration(number(user)+number(system)) * clockTick}
	memory, err := readFields(dir + "/status")
	if err != nil {
		return usage{}, err
	}
	u.resident, u.anonymous = memory["VmRSS"]<<10, memory["RssAnon"]<<10
	written, err := readFields(dir + "/io")
	u.written = written["write_bytes"]
	return u, err
}

// readStat returns the fields of stat from the third on. The second, in brackets, may hold spaces.
func readStat(dir string) ([][]byte, error) {
	text, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return nil, errors.New("too few fields in " + dir + "/stat")
	}
	return fields, nil
}

// readFields reads lines such as "VmRSS:  123 kB".
func readFields(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
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

// number returns 0 for what is none: the kernel's other fields are not read.
func number(text []byte) int64 {
	value, _ := strconv.ParseInt(string(text), 10, 64)
	return value
}

// busyMachine returns the processor time that everything on the machine has taken.
func busyMachine() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 {
		return 0, errors.New("too few fields in /proc/stat")
	}
	var ticks int64
	for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal; not idle and iowait
		ticks += number(fields[i])
	}
	return time.Duration(ticks) * clockTick, nil
}

// onlyChild returns the process that a process has started.
func onlyChild(parent int) (int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	var children []int
	for _, dir := range dirs {
		stat, err := readStat(dir)
		if err == nil && number(stat[1]) == int64(parent) { // one that has ended meanwhile is none
			children = append(children, int(number([]byte(filepath.Base(dir)))))
		}
	}
	if len(children) != 1 {
		return 0, fmt.Errorf("process %d has %d children, where one was expected", parent, len(children))
	}
	return children[0], nil
}
