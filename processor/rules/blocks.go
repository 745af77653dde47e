package rules

import "bytes"

// blockBytes is the size of a block; what is larger than a quarter of it is kept by itself.
const blockBytes = 128 << 10

// blocks keeps the keys and values of records in large pieces, each for some hundred of them: room for each by itself
// is a good part of what writing them costs. A block is free when none of its records is waiting for Kafka any more.
type blocks struct{ block []byte }

// keep returns a copy of text.
func (b *blocks) keep(text []byte) []byte {
	if len(text) > blockBytes/4 {
		return bytes.Clone(text)
	}
	if len(text) > cap(b.block)-len(b.block) {
		b.block = make([]byte, 0, blockBytes)
	}
	start := len(b.block)
	b.block = append(b.block, text...)
	return b.block[start:len(b.block):len(b.block)]
}
