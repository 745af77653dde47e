package dispatcher

import "fmt"

// Destinations knows where the runs of an environment are started.
type Destinations interface {
	// Destination returns the workflow API of an environment, and false when the environment is unknown. It is asked
	// before each attempt and by many goroutines at once, so it must answer from memory.
	Destination(environment string) (Destination, bool)
}

// Destination is one environment's workflow API.
type Destination struct {
	Kind        Kind    // the zero value is HTTP
	BaseURL     string  // such as https://api.knock.app; "" when none is set
	APIKey      string  // sent as a bearer token; "" when the API wants none
	Concurrency int     // calls at the same time; 0 takes the dispatcher's setting
	RateLimit   float64 // calls a second; 0 is without limit
	Order       Order   // the zero value is Relaxed
}

// String leaves the API key out, and the URL, which may hold credentials: a destination may end up in a log.
func (d Destination) String() string {
	return fmt.Sprintf("workflow API of kind %d, order %d, %d calls at once, %g a second", d.Kind, d.Order, d.Concurrency, d.RateLimit)
}

// GoString is String, so that no verb shows the key.
func (d Destination) GoString() string { return d.String() }

// Kind says who starts the runs of an environment.
type Kind int

const (
	// HTTP is a workflow API that takes what Knock's takes.
	HTTP Kind = iota
	// KafkaOnly is nobody of ours: somebody else reads the runs topic. Its runs count as done, without a delivery.
	KafkaOnly
)

// Order says what becomes of the order of a person's runs when one of them has to wait for long.
type Order int

const (
	// Relaxed lets the others go on: the run that waits comes when it can.
	Relaxed Order = iota
	// Strict lets the person's other runs wait, for as long as a run may be retried. The price: runs that wait are held
	// in memory, and when they are too many, reading pauses for whoever shares their partition.
	Strict
)
