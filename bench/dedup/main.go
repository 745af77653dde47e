// Command dedup fills a dedup index with IDs spread over 25 hours of record time, one of them in a hundred a repeat, and
// prints what a check costs, how long single checks took, memory and disk, and how long it takes to open the index
// again. Every answer is checked: a repeat that is missed, or an ID that is taken for one, ends it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace/millrace/dedup"
)

func main() {
	ids := flag.Int64("ids", 1_000_000, "how many IDs")
	memory := flag.Int64("memory", 512<<20, "memory of the index, in bytes")
	dir := flag.String("dir", "", "where the index is made; default: a new directory for temporary files")
	flag.Parse()
	if err := run(*ids, *memory, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench/dedup:", err)
		os.Exit(1)
	}
}

func run(ids, memory int64, parent string) (err error) {
	dir, err := os.MkdirTemp(parent, "millrace-dedup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	options := dedup.Options{
		Dir: dir, Retention: 26 * time.Hour, Memory: memory, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	idle := calibrate()
	index, err := dedup.Open(options)
	if err != nil {
		return err
	}
	peak := watchMemory()
	filled, err := fill(index, ids)
	if err != nil {
		return err
	}
	used, err := peak()
	if err != nil {
		return err
	}
	if err := index.Close(); err != nil {
		return err
	}
	size, err := diskSize(dir)
	if err != nil {
		return err
	}
	began := time.Now()
	if index, err = dedup.Open(options); err != nil {
		return err
	}
	fmt.Printf("%d IDs: %d ns a check, %.1f bytes an ID on disk, opened again in %s\n", ids, filled.took.Nanoseconds()/ids,
		float64(size)/float64(ids), time.Since(began).Round(time.Millisecond))
	fmt.Println(filled.pauses.String())
	fmt.Printf("pauses of an empty loop beside another one, before and after: %s, %s\n", idle, calibrate())
	fmt.Println(used)
	return index.Close()
}

func diskSize(dir string) (int64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	var size int64
	for _, file := range files {
		stat, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		size += stat.Size()
	}
	return size, nil
}
