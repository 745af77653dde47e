package catalog

import "context"

// actorKey is where a context holds the actor.
type actorKey struct{}

// WithActor names who is behind the changes that are made with the context.
func WithActor(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, actorKey{}, name)
}

// Actor returns who is behind a change.
func Actor(ctx context.Context) string {
	if name, isNamed := ctx.Value(actorKey{}).(string); isNamed {
		return name
	}
	return "system"
}

// IDs are a prefix and a UUIDv7 without dashes.
const (
	sourceIDPrefix  = "src_"
	triggerIDPrefix = "trg_"
	replayIDPrefix  = "rpl_"
)
