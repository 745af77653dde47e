package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// bytesPerEvent is what an event takes with all that followed from it, and room for merges.
const bytesPerEvent = 400

// hasRoom refuses to fill a disk up.
func hasRoom(dir string, events uint64) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("asking for the room in %s: %w", dir, err)
	}
	free, needed := disk.Bavail*uint64(disk.Bsize), events*bytesPerEvent
	if free < needed {
		return fmt.Errorf("%d events need about %d GB in %s, where %d GB are free", events, needed/1e9, dir, free/1e9)
	}
	return nil
}
