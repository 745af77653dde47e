package faults

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// TestP07EmbeddedBrokerKilledKeepsWhatItAnswered kills `millrace dev`, its broker within it, again and again. What Kafka has
// twice has the same IDs, so that the workflow API starts nothing twice.
func TestP07EmbeddedBrokerKilledKeepsWhatItAnswered(t *testing.T) {
	length, random := settings(t)
	f, dev := fleet.NewDev(t, fleet.Options{}, "--embedded-kafka-fsync")
	load := f.StartLoad(fleet.Senders{To: []string{dev.IngestURL}, PerSecond: 500, Duplicates: 0.3, Seed: random.Uint64()})
	kills := 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); kills++ {
		f.Pause(between(random, 0, 2*time.Second))
		dev.Kill()
		dev.Restart()
	}
	t.Logf("%d kills; %s", kills, load.Stop())
	judge(t, f, "%d kills", kills)
}

// What the embedded broker's log may take on disk in all, and what the test fills: less than half of it is for events, and
// keys do not fall evenly.
const (
	dataCap   = 512 << 20
	filled    = dataCap * 3 / 8
	eventSize = 64 << 10
)

// TestP07BootMemoryIsBounded fills the embedded broker's log, kills the process and looks at how much memory the next start
// takes: the broker reads its log.
func TestP07BootMemoryIsBounded(t *testing.T) {
	_, random := settings(t)
	f, dev := fleet.NewDev(t, fleet.Options{})
	noise := make([]byte, eventSize*3/4)
	for written := 0; written < filled; written += 64 * eventSize {
		var events []fleet.Event
		for range 64 {
			number := int64(f.Ledger.Acknowledged() + len(events))
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			events = append(events, fleet.Event{
				Number: number, MessageID: fmt.Sprint("m", number), ReceivedAt: time.Now(), Padding: base64.StdEncoding.EncodeToString(noise),
			})
		}
		f.Write(events...)
	}
	f.Ledger.Settle(t)
	dev.Kill()
	size := sizeOf(t, filepath.Join(dev.DataDir(), "kafka"))
	dev.Restart()
	peak := dev.PeakMemory()
	if peak > 2*dataCap {
		t.Errorf("the start took %d MiB of memory, twice the cap of the data is %d", peak>>20, 2*dataCap>>20)
	}
	judge(t, f, "%d MiB of data, %d MiB of memory at the start after a kill", size>>20, peak>>20)
}

// sizeOf returns how many bytes the files of a directory have.
func sizeOf(t *testing.T, dir string) int64 {
	t.Helper()
	size := int64(0)
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
