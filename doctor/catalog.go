package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Catalog is what users have configured.
type Catalog struct {
	Environments, Sources, Triggers int
	Foreign                         []string // records of it that a newer Millrace has written, and this one does not read
}

// JudgeCatalog tells whether there is anything to do at all, and whether this Millrace can.
func JudgeCatalog(found Catalog) Finding {
	text := fmt.Sprintf("environments %d, sources %d, triggers %d", found.Environments, found.Sources, found.Triggers)
	if len(found.Foreign) > 0 {
		return Finding{
			"catalog", Problem, "a newer Millrace has written, and this one cannot read: " + strings.Join(found.Foreign, ", "),
			"finish the upgrade; until then processors of this version decide on no event",
		}
	}
	if found.Environments == 0 {
		return Finding{"catalog", Warning, text, "start millrace api once: it makes the first environments"}
	}
	return fine("catalog", text)
}

// WorkflowAPI is where an environment's runs are started.
type WorkflowAPI struct {
	Environment string
	URL         string
	Triggers    int   // active ones, whose runs would go there
	Err         error // of connecting
}

// JudgeWorkflowAPI tells whether runs can get there.
func JudgeWorkflowAPI(found WorkflowAPI) Finding {
	const check = "workflow API"
	name := found.Environment + ": "
	switch {
	case found.URL == "" && found.Triggers == 0:
		return fine(check, name+"none is set, and no trigger needs one")
	case found.URL == "":
		return Finding{
			check, Problem, fmt.Sprintf("%snone is set, and the runs of %d triggers wait", name, found.Triggers),
			"set the environment's workflow API, or --workflow-api-url; with kind none the runs are for others to consume",
		}
	case found.Err != nil:
		return Finding{check, Problem, name + found.Err.Error(), "runs wait, and are given up after 20 hours; see whether the address is right and this network lets it through"}
	}
	return fine(check, name+found.URL+" takes connections")
}

// Secret is a reference to a secret, and who needs it.
type Secret struct {
	Of  string
	Ref string // env:NAME or file:PATH
	Err error
}

// JudgeSecrets names those that are not there for this process.
func JudgeSecrets(all []Secret) []Finding {
	var findings []Finding
	for _, secret := range all {
		if secret.Err != nil {
			findings = append(findings, Finding{"secrets", Problem, secret.Of + ": " + secret.Err.Error(), "give it to ingest and dispatcher, or run the doctor with what they are given"})
		}
	}
	if len(findings) == 0 {
		return []Finding{fine("secrets", fmt.Sprintf("all %d can be resolved here", len(all)))}
	}
	return findings
}

func sortedNames[V any](byName map[string]V) []string { return slices.Sorted(maps.Keys(byName)) }
