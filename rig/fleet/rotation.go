package fleet

import (
	"slices"
	"sync"
)

// rotation is where events are posted: the instances that a load balancer has in rotation.
type rotation struct {
	mu    sync.Mutex // guards all below
	urls  []string
	under map[string]int // requests that are not answered yet, by URL
	ended sync.Cond      // with mu: told when a request ends
}

func newRotation(urls []string) *rotation {
	r := &rotation{urls: urls, under: map[string]int{}}
	r.ended.L = &r.mu
	return r
}

// take chooses an instance for a request. The function it returns is called when the request has ended.
func (r *rotation) take(number int) (url string, done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	url = r.urls[number%len(r.urls)]
	r.under[url]++
	return url, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.under[url]--
		r.ended.Broadcast()
	}
}

// Turn lets the load go to these URLs, as a load balancer does that follows readiness. It returns when no request to
// another is under way.
func (l *Load) Turn(urls ...string) {
	r := l.rotation
	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls = urls
	for r.isBusyBeside(urls) {
		r.ended.Wait()
	}
}

func (r *rotation) isBusyBeside(urls []string) bool {
	for url, count := range r.under {
		if count > 0 && !slices.Contains(urls, url) {
			return true
		}
	}
	return false
}
