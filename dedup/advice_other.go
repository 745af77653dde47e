//go:build !linux

package dedup

// Other kernels take neither advice: there the index is only slower.

func adviseHuge([]byte) {}

func populate([]byte) {}
