package chdb

import (
	"runtime"
	"unsafe"
)

// The engine's classes of statements; 1 and 2 write, 4 is what it cannot parse.
const (
	classReadOnly = 0
	classUnknown  = 4
)

// classify asks the engine's parser how many statements a text holds and what
// the strongest of them does. A text it cannot judge counts as unknown.
func (s *session) classify(sql string) analysis {
	out := &analysis{size: uint32(unsafe.Sizeof(analysis{}))}
	code := s.engine.lib.classify(s.conn(), unsafe.StringData(sql), uintptr(len(sql)), nil, 0, out)
	runtime.KeepAlive(sql)
	if code != 0 {
		return analysis{class: classUnknown}
	}
	return *out
}
