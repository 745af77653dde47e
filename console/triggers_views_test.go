package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// triggersViews are the pages of this part that are worth a look.
func triggersViews() []view { return nil }

// triggersPaths are its pages, of the busy shop.
func triggersPaths() []string { return nil }

// triggersAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) triggersAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
