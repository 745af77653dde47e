package dedup

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// guarded calls do, which reads mapped segments. When somebody makes a file shorter, its mapped pages are gone, and a
// read of one raises SIGBUS, which ends a Go process; here it becomes an error that is errDamaged.
func guarded(do func()) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if problem := recover(); problem != nil {
			err = damagedBy(problem)
		}
	}()
	do()
	return nil
}

// damagedBy turns a fault into an error; every other panic goes on.
func damagedBy(problem any) error {
	var fault interface {
		runtime.Error
		Addr() uintptr
	}
	if err, isError := problem.(error); !isError || !errors.As(err, &fault) {
		panic(problem)
	}
	return fmt.Errorf("%w: a part of a segment cannot be read; was its file made shorter?", errDamaged)
}
