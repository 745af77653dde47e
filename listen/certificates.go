package listen

import (
	"crypto/tls"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// checkEvery is how often the files are looked at, at most, and only when somebody connects. Looking follows symbolic
	// links, so that a whole directory may be swapped at once, as Kubernetes does it; a watch on the files would be left
	// behind there, and one more goroutine and its failures would have to be looked after.
	checkEvery = time.Second
	// expiryNotice is how long before its end a certificate is warned of.
	expiryNotice = 14 * 24 * time.Hour
	// remindEvery is how often.
	remindEvery = 24 * time.Hour
)

// certificates holds what was last read, and reads it again when it has changed.
type certificates struct {
	files  TLS
	logger *slog.Logger

	mu        sync.Mutex // guards the fields below
	current   *tls.Config
	seen      []fs.FileInfo // the files that current is of
	checkedAt time.Time
	complaint string // what was last said about files that cannot be used
	remind    rate.Sometimes
}

func newCertificates(files TLS, logger *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, logger: logger, checkedAt: time.Now(), remind: rate.Sometimes{Interval: remindEvery}}
	seen, err := look(files)
	if err != nil {
		return nil, err
	}
	current, err := files.load()
	if err != nil {
		return nil, err
	}
	c.seen = seen
	c.use(current)
	return c, nil
}

// config is asked at each handshake.
func (c *certificates) config(*tls.ClientHelloInfo) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checkedAt) >= checkEvery {
		c.checkedAt = time.Now()
		c.check()
	}
	return c.current, nil
}

// check reads the files again when they have changed. While they cannot be used, it tries again each time: certificate
// and key may be written one after the other.
func (c *certificates) check() {
	seen, err := look(c.files)
	if err == nil && same(seen, c.seen) {
		c.warnOfExpiry()
		return
	}
	var read *tls.Config
	if err == nil {
		read, err = c.files.load()
	}
	if err != nil {
		if c.complaint != err.Error() {
			c.complaint = err.Error()
			c.logger.Error("the certificate has changed and cannot be used; the one before stays", "error", err)
		}
		return
	}
	c.seen, c.complaint, c.remind = seen, "", rate.Sometimes{Interval: remindEvery}
	c.use(read)
}

// use takes a certificate and says how long it is good for.
func (c *certificates) use(read *tls.Config) {
	c.current = read
	leaf := read.Certificates[0].Leaf
	c.logger.Info("certificate read", "names", leaf.DNSNames, "serial", leaf.SerialNumber.String(), "expires", leaf.NotAfter.UTC())
	c.warnOfExpiry()
}

func (c *certificates) warnOfExpiry() {
	leaf := c.current.Certificates[0].Leaf
	if time.Until(leaf.NotAfter) > expiryNotice {
		return
	}
	c.remind.Do(func() {
		c.logger.Warn("the certificate expires soon, or has expired; put a new one into its place", "file", c.files.Cert, "expires", leaf.NotAfter.UTC())
	})
}

// look returns what tells one state of the files from another.
func look(files TLS) ([]fs.FileInfo, error) {
	var seen []fs.FileInfo
	for _, path := range files.files() {
		state, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		seen = append(seen, state)
	}
	return seen, nil
}

func same(a, b []fs.FileInfo) bool {
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}
