package listen

import (
	"time"

	"github.com/valyala/fasthttp"
)

// HeaderTimeout is how long a client may take for the first line and the headers of a request. On a new connection it
// begins with the connection, later with the first byte.
const HeaderTimeout = 5 * time.Second

// BoundReading lets a client take HeaderTimeout for the head of a request and then body for its body. Both are absolute:
// who sends a byte now and then gains nothing by it.
func BoundReading(server *fasthttp.Server, body time.Duration) {
	server.ReadTimeout = HeaderTimeout
	server.HeaderReceived = func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
		return fasthttp.RequestConfig{ReadTimeout: body}
	}
}
