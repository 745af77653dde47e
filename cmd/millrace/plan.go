package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace/millrace/catalog/manifest"
)

// writePlan writes what there is to do for people: what is made with +, changed with ~, deleted with -.
func writePlan(out io.Writer, plan manifest.Plan) {
	for _, change := range plan.Changes {
		fmt.Fprintf(out, "%s %s %s%s\n", marker(change.Action), change.Kind, planName(change), planRemark(change))
		if change.Action == manifest.Delete {
			continue
		}
		for _, f := range change.Fields {
			fmt.Fprintf(out, "    %s: %s\n", f.Field, fieldChange(change.Action, f))
		}
	}
}

// planSummary says how much there is to do.
func planSummary(plan manifest.Plan) string {
	return fmt.Sprintf("%d to create, %d to update, %d to delete, %d unchanged",
		plan.Count(manifest.Create), plan.Count(manifest.Update), plan.Count(manifest.Delete), plan.Unchanged)
}

func marker(action manifest.Action) string {
	switch action {
	case manifest.Create:
		return "+"
	case manifest.Delete:
		return "-"
	default:
		return "~"
	}
}

func planName(change manifest.Change) string {
	if change.Environment != "" {
		return change.Environment + "/" + change.Name
	}
	return change.Name
}

func planRemark(change manifest.Change) string {
	if change.Action == manifest.Delete && change.Kind == manifest.KindSource {
		return " (its endpoint keys are lost for good)"
	}
	return ""
}

func fieldChange(action manifest.Action, f manifest.FieldChange) string {
	before, after := fieldValue(f.Before), fieldValue(f.After)
	if action == manifest.Create {
		return after
	}
	return before + " -> " + after
}

// fieldValue writes a value as JSON for people, who would not know \u003e for >, and as "none" where there is none.
func fieldValue(value []byte) string {
	text := strings.TrimSpace(string(value))
	if text == "" || text == "null" {
		return "none"
	}
	plain, err := jsontext.AppendFormat(nil, []byte(text))
	if err != nil {
		return text
	}
	return string(plain)
}
