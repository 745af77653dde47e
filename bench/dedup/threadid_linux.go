package main

import "golang.org/x/sys/unix"

func threadID() (int, error) { return unix.Gettid(), nil }
