package rig

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// MemoryGrowth runs something and returns how far the memory of the process has risen above what it was before, at its
// peak, in bytes. It asks the Linux kernel.
func (p *Pipeline) MemoryGrowth(during func()) int64 {
	p.t.Helper()
	pid := p.process.Process.Pid
	// 5 sets the peak back to what is in use (proc_pid_clear_refs(5)).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o200); err != nil {
		p.t.Fatalf("setting back the peak of memory: %v", err)
	}
	before := p.peak(pid)
	during()
	return p.peak(pid) - before
}

// PeakMemory returns the most memory that the process has had at a time since its start, in bytes.
func (p *Pipeline) PeakMemory() int64 {
	p.t.Helper()
	return p.peak(p.process.Process.Pid)
}

func (p *Pipeline) peak(pid int) int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		p.t.Fatalf("asking for the peak of memory: %v", err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		p.t.Fatalf("the kernel tells no peak of memory: %s", status)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return kilobytes << 10
}
