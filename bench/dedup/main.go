// Command dedup fills a dedup index with IDs spread over 25 hours of record time, one of them in a hundred a repeat, and
// prints what a check costs, its longest pause, memory and disk for each ID, and how long it takes to open the index
// again. Every answer is checked: a repeat that is missed, or an ID that is taken for one, ends it.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
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
	index, err := dedup.Open(options)
	if err != nil {
		return err
	}
	took, longest, err := fill(index, ids)
	if err != nil {
		return err
	}
	anonymous, err := anonymousMemory()
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
	opened := time.Since(began)
	fmt.Printf("%d IDs: %d ns a check, longest pause %s, %.1f bytes an ID on disk, %d MiB of memory (%.1f bytes an ID), opened again in %s\n",
		ids, took.Nanoseconds()/ids, longest.Round(10*time.Microsecond), float64(size)/float64(ids), anonymous>>20,
		float64(anonymous)/float64(ids), opened.Round(time.Millisecond))
	return index.Close()
}

// repeatEvery is how often an ID is a repeat of one that came long before.
const repeatEvery = 100

func fill(index *dedup.Index, ids int64) (took, longest time.Duration, err error) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	span := 25 * time.Hour
	started := time.Now()
	last := started
	for i := range ids {
		number := i
		isRepeat := i%repeatEvery == repeatEvery-1
		if isRepeat {
			number = i / 2 / repeatEvery * repeatEvery
		}
		at := began.Add(time.Duration(float64(span) * float64(i) / float64(ids)))
		first, duplicate, err := index.Check(key(number), i, at, span)
		if err != nil {
			return 0, 0, err
		}
		if duplicate != isRepeat || duplicate && first != number {
			return 0, 0, fmt.Errorf("ID %d: repeat %v of %d, want %v of %d", i, duplicate, first, isRepeat, number)
		}
		if i%1000 == 0 {
			index.Settle(i)
		}
		now := time.Now()
		longest = max(longest, now.Sub(last))
		last = now
	}
	return last.Sub(started), longest, nil
}

// key makes a key of a number, as evenly spread as a hash (the finisher of SplitMix64) and cheaper, so that the time is
// the index's.
func key(number int64) schemas.Key {
	var k schemas.Key
	binary.LittleEndian.PutUint64(k[:8], mix(uint64(2*number)))
	binary.LittleEndian.PutUint64(k[8:], mix(uint64(2*number+1)))
	return k
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// anonymousMemory returns the memory of this process that no file backs, from /proc/self/status (proc(5)).
func anonymousMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("/proc/self/status names no RssAnon")
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10, err
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
