package dedup

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages; a kernel without them is only slower.
func adviseHuge(bytes []byte) { _ = unix.Madvise(bytes, unix.MADV_HUGEPAGE) }

// populate has the kernel find the pages now: at first use, finding and zeroing a huge one holds up a check, and the
// first segment's bits would need all pages of the filter at once. A kernel before 5.14 leaves it at that.
func populate(bytes []byte) {
	inPieces(bytes, func(some []byte) { _ = unix.Madvise(some, unix.MADV_POPULATE_WRITE) })
}
