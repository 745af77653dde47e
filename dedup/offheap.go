package dedup

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// piece is how many bytes are worked through before others get the processor: some tenths of a millisecond.
const piece = 1 << 20

// offHeap returns n zeroed values of a type without pointers, outside the garbage collector's heap: there they would
// count as live memory, and it would let as much garbage gather before it collects. Huge pages save most of the
// address translation that random access costs. The bytes go to release.
func offHeap[T any](n int) (values []T, bytes []byte, err error) {
	var one T
	bytes, err = unix.Mmap(-1, 0, n*int(unsafe.Sizeof(one)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("taking memory for %d entries of %d bytes: %w", n, unsafe.Sizeof(one), err)
	}
	adviseHuge(bytes)
	populate(bytes)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(bytes))), n), bytes, nil
}

func release(bytes []byte) error { return unix.Munmap(bytes) }

// inPieces calls do for one part of the values after another and lets others have the processor in between. The garbage
// collector stops every goroutine now and then, and it cannot stop one that clears memory before that is done.
func inPieces[T any](values []T, do func([]T)) {
	var one T
	size := piece / int(unsafe.Sizeof(one))
	for len(values) > size {
		do(values[:size])
		values = values[size:]
		runtime.Gosched()
	}
	do(values)
}

func wipe[T any](values []T) {
	inPieces(values, func(some []T) { clear(some) })
}
