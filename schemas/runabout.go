package schemas

import (
	"fmt"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// RunAbout is what can be asked of runs: whom a request is for, in whose name, and by which key it is cancelled. Its texts share
// the memory of the request.
type RunAbout struct {
	RecipientIDs    []string
	TenantID        string
	CancellationKey string
}

// About reads the run's request. A member of another kind than it should be is as good as none. It fails where the request is not JSON.
func (r Run) About() (RunAbout, error) {
	var about RunAbout
	members, err := membersOf(r.Request)
	if err != nil {
		return about, fmt.Errorf("reading the run's request: %w", err)
	}
	for _, member := range members {
		switch string(member.Name) {
		case "recipients":
			recipients, _ := membersOf(member.Value) // they are part of what has been read
			for _, recipient := range recipients {
				about.RecipientIDs = append(about.RecipientIDs, idOf(recipient.Value))
			}
		case "tenant":
			about.TenantID = idOf(member.Value)
		case "cancellation_key":
			about.CancellationKey = textOf(member.Value)
		}
	}
	return about, nil
}

func membersOf(value []byte) ([]jsonscan.Member, error) {
	members, _, err := jsonscan.AppendMembers(nil, value, MaxDepth+2)
	return members, err
}

// idOf returns the ID of a recipient or tenant, which is a string or an object with an id; "" where it is neither.
func idOf(value []byte) string {
	if value[0] != '{' {
		return textOf(value)
	}
	members, _ := membersOf(value) // as above
	for _, member := range members {
		if string(member.Name) == "id" {
			return textOf(member.Value)
		}
	}
	return ""
}

func textOf(value []byte) string {
	if value[0] != '"' {
		return ""
	}
	return Share(jsonscan.Unescape(value[1 : len(value)-1]))
}
