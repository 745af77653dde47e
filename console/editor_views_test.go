package console_test

import (
	"net/http"

	"github.com/millrace/millrace/api"
)

// editorViews are the pages of this part that are worth a look.
func editorViews() []view { return nil }

// editorPaths are its pages, of the busy shop.
func editorPaths() []string { return nil }

// editorAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) editorAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	return 0, nil
}
