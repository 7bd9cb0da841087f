package client

import (
	"net/http"

	"hookloop/api"
)

// Sources are third parties that send to us.
type Sources struct{ scope }

// Create makes a source. Tell the third party its ingest URL.
func (s Sources) Create(n api.NewSource) Call[api.Source] {
	return call[api.Source](s.scope, http.MethodPost, "sources").with(n).making()
}

// List shows sources, the oldest first.
func (s Sources) List(query api.PageQuery) List[api.Source] {
	return list[api.Source](s.scope, query, "sources")
}

// Get shows a source, its secrets as ***.
func (s Sources) Get(id string) Call[api.Source] {
	return call[api.Source](s.scope, http.MethodGet, "sources", id)
}

// Update changes a source; fields of the change that are zero stay as they are, and a config
// replaces the whole one.
func (s Sources) Update(id string, change api.SourceChange) Call[api.Source] {
	return call[api.Source](s.scope, http.MethodPatch, "sources", id).with(change)
}

// Delete deletes a source. What is sent to it from now on is refused.
func (s Sources) Delete(id string) Call[None] {
	return call[None](s.scope, http.MethodDelete, "sources", id)
}
