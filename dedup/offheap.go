package dedup

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// offHeap returns n zeroed values of a type without pointers, outside the garbage collector's heap: there they would
// count as live memory, and it would let as much garbage gather before it collects. Huge pages save most of the
// address translation that random access costs. The bytes go to release.
func offHeap[T any](n int) (values []T, bytes []byte, err error) {
	var one T
	bytes, err = unix.Mmap(-1, 0, n*int(unsafe.Sizeof(one)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("taking memory for %d entries of %d bytes: %w", n, unsafe.Sizeof(one), err)
	}
	_ = unix.Madvise(bytes, unix.MADV_HUGEPAGE) // a kernel without them is only slower
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(bytes))), n), bytes, nil
}

func release(bytes []byte) error { return unix.Munmap(bytes) }
