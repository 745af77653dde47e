package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memoryUse is the resident memory of this process, in bytes (proc(5)).
type memoryUse struct {
	anonymous int64 // that no file backs: what the process needs
	file      int64 // mapped pages of files, segments above all: the kernel's cache, which it takes back when it has to
}

func (m memoryUse) String() string {
	return fmt.Sprintf("memory at most: %d MiB of the process (RssAnon); mapped pages of segments, which the kernel takes back at will: %d MiB (RssFile)",
		m.anonymous>>20, m.file>>20)
}

// watchMemory looks at the memory ten times a second, until the function it returns is called for the most there was.
func watchMemory() (peak func() (memoryUse, error)) {
	stop, result := make(chan struct{}), make(chan memoryUse)
	var failure error
	go func() {
		var most memoryUse
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			now, err := readMemory()
			failure = err
			most = memoryUse{max(most.anonymous, now.anonymous), max(most.file, now.file)}
			select {
			case <-tick.C:
			case <-stop:
				result <- most
				return
			}
		}
	}()
	return func() (memoryUse, error) {
		close(stop)
		most := <-result // before failure, which is written until then
		return most, failure
	}
}

func readMemory() (memoryUse, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return memoryUse{}, err
	}
	anonymous, err := field(string(status), "RssAnon:")
	if err != nil {
		return memoryUse{}, err
	}
	file, err := field(string(status), "RssFile:")
	return memoryUse{anonymous, file}, err
}

func field(status, name string) (int64, error) {
	_, rest, _ := strings.Cut(status, name)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0, fmt.Errorf("/proc/self/status names no %s", name)
	}
	kib, err := strconv.ParseInt(words[0], 10, 64)
	return kib << 10, err
}
