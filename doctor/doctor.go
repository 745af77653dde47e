// Package doctor judges what was found about an installation: what is well, what somebody should look at, what is broken,
// and what to do about it. It asks nobody: cmd/millrace gathers the facts.
package doctor

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // events are taken and runs are started, but somebody should look
	Problem Level = "problem" // something does not work, or will not when it is needed
)

// Finding is what one check came to.
type Finding struct {
	Check string `json:"check"` // what was looked at
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"` // what to do
}

// Worst returns the worst level among findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, finding := range findings {
		if finding.Level == Problem {
			return Problem
		}
		if finding.Level == Warning {
			worst = Warning
		}
	}
	return worst
}

func fine(check, text string) Finding { return Finding{check, OK, text, ""} }

// Failed is the finding of a check that could not be made.
func Failed(check string, err error, hint string) Finding {
	return Finding{check, Problem, err.Error(), hint}
}
