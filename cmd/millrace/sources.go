package main

import "context"

// sourceNames are the names of sources by ID. Records carry IDs only, and people know names.
type sourceNames map[string]string

func (r resource) sourceNames() (sourceNames, error) {
	items, err := r.client.List(r.ctx, "/sources", nil)
	if err != nil {
		return nil, err
	}
	sources, err := decoded[source](items)
	if err != nil {
		return nil, err
	}
	names := sourceNames{}
	for _, s := range sources {
		names[s.ID] = s.Name
	}
	return names, nil
}

// name is the source's name, or its ID where it was deleted or made just now.
func (n sourceNames) name(id string) string {
	if name, found := n[id]; found {
		return name
	}
	return id
}

// withSources is resource with the names of the sources.
func (c clientConfig) withSources(ctx context.Context, output outputConfig, tty terminal) (resource, sourceNames, error) {
	r, err := c.resource(ctx, output, tty)
	if err != nil {
		return r, nil, err
	}
	names, err := r.sourceNames()
	return r, names, err
}
