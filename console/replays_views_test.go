package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// replaysViews are the pages of this part that are worth a look.
func replaysViews() []view { return nil }

// replaysPaths are its pages, of the busy shop.
func replaysPaths() []string { return nil }

// replaysAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) replaysAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
