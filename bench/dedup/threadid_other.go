//go:build !linux

package main

import "errors"

func threadID() (int, error) {
	return 0, errors.New("this benchmark reads /proc, which only Linux has")
}
