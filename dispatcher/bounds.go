package dispatcher

import "github.com/twmb/franz-go/pkg/kgo"

// measure returns how many more runs may be read, and pauses the partitions whose gap is too wide.
func (g *group) measure(client *kgo.Client) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	room, bytes := g.config.MaxOutstanding, g.config.MaxOutstandingBytes
	for name, p := range g.partitions {
		partRuns, partBytes, gap := p.load()
		room, bytes = room-partRuns, bytes-partBytes
		g.limitGap(client, name, gap)
	}
	if bytes <= 0 {
		return 0
	}
	return room
}

// limitGap stops reading a partition in which one run has long been unfinished while others finish: a crash would
// send all of those again. It goes on at half the limit, so as not to pause with each record.
func (g *group) limitGap(client *kgo.Client, name topicPartition, gap int) {
	switch {
	case gap >= g.config.MaxGap && !g.paused[name]:
		g.paused[name] = true
		client.PauseFetchPartitions(name.set())
		g.logger.Warn("reading a partition pauses: its oldest run is not finished, and too many after it are",
			"topic", name.topic, "partition", name.id, "gap", gap)
	case gap <= g.config.MaxGap/2 && g.paused[name]:
		g.resume(client, name)
	}
}

func (g *group) resume(client *kgo.Client, name topicPartition) {
	delete(g.paused, name)
	client.ResumeFetchPartitions(name.set())
}
