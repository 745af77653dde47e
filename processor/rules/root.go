package rules

// root is one of the names that paths and expressions start from.
type root int

// The roots.
const (
	rootData root = iota
	rootEvent
	rootUserID
	rootAnonymousID
	rootMessageID
	rootTimestamp
	rootReceivedAt
	rootContext
	rootSource
	rootEnvironment
	rootRaw
	rootCount
)

// rootNames lists the roots in the order of their constants.
func rootNames() []string {
	return []string{
		"data", "event", "user_id", "anonymous_id", "message_id", "timestamp", "received_at", "context", "source",
		"environment", "raw",
	}
}

// findRoot knows the roots' names and the two members of an event that people write instead.
func findRoot(name string) (root, bool) {
	switch name {
	case "properties":
		return rootData, true
	case "userId":
		return rootUserID, true
	}
	for i, known := range rootNames() {
		if known == name {
			return root(i), true
		}
	}
	return 0, false
}
