//go:build linux

package faults

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/rig"
)

// disk is a small file system in memory that can be full, or read-only.
type disk struct {
	t   *testing.T
	dir string
}

// newDisk mounts one on dir for the length of the test.
func newDisk(t *testing.T, dir, size string) *disk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mounting a small file system on %s: %v; this test must be run by root, where mounting is permitted", dir, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil { // processes may still be there
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return &disk{t, dir}
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves so many bytes of it free, or less where somebody is writing.
func (d *disk) fill(leave int64) {
	d.t.Helper()
	file, err := os.Create(d.ballast())
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	rig.Eventually(d.t, "the disk is full", func() error {
		var of unix.Statfs_t
		if err := unix.Statfs(d.dir, &of); err != nil {
			return err
		}
		more := int64(of.Bavail)*of.Bsize - leave
		if more <= 0 {
			return nil
		}
		size, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		return unix.Fallocate(int(file.Fd()), 0, size, more)
	})
}

// free removes what fill has written.
func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// setReadOnly says whether files can be written.
func (d *disk) setReadOnly(is bool) {
	d.t.Helper()
	flags := uintptr(unix.MS_REMOUNT)
	if is {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("tmpfs", d.dir, "tmpfs", flags, ""); err != nil {
		d.t.Fatalf("mounting %s again: %v", d.dir, err)
	}
}
