package main

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// apiUser is how Mautic names the user that Hookloop's writes are made by.
const apiUser = "Hookloop"

// mautic is as much of a Mautic as the story needs: contacts, the API that changes them, and the
// webhooks that tell of changes.
type mautic struct {
	user, password string // of apiUser
	secret         string // of the webhook
	webhookURL     string
	patches        chan patch
	queued         chan struct{} // holds an element when there may be rows to send
	client         *http.Client

	mu       sync.Mutex
	contacts map[int]*contact
	rows     [][]byte // the webhook's queue
}

// contact has its fields by alias. Mautic keeps text, whatever a field's type; a field never set is
// absent.
type contact struct {
	id         int
	fields     map[string]string
	modifiedBy string
	modified   time.Time
}

// patch is a call of the API and its answer.
type patch struct {
	contactID string
	fields    map[string]any
	status    int
}

func newMautic(contactID int, secret, webhookURL, user, password string) *mautic {
	return &mautic{
		user: user, password: password, secret: secret, webhookURL: webhookURL,
		patches: make(chan patch, 16), queued: make(chan struct{}, 1),
		client: &http.Client{Timeout: 15 * time.Second},
		contacts: map[int]*contact{contactID: {id: contactID, fields: map[string]string{
			"firstname": "Zoë", "lastname": "Adler", "email": "zoe@example.com",
		}}},
	}
}

// edit changes fields of a contact, and says whether there is one. A change queues a webhook; an
// edit that changes nothing does not.
func (m *mautic) edit(id int, by string, fields map[string]string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.contacts[id]
	if !ok {
		return false
	}
	before := maps.Clone(c.fields)
	maps.Copy(c.fields, fields)
	if maps.Equal(before, c.fields) {
		return true
	}
	c.modifiedBy, c.modified = by, time.Now()
	m.rows = append(m.rows, c.row())
	m.wake()
	return true
}

// api serves PATCH /api/contacts/{id}/edit.
func (m *mautic) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PATCH /api/contacts/{id}/edit", func(w http.ResponseWriter, r *http.Request) {
		p := patch{contactID: r.PathValue("id")}
		p.status = m.patch(r, &p)
		m.patches <- p
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(p.status)
		if p.status == http.StatusOK {
			fmt.Fprintf(w, `{"contact":{"id":%s}}`, p.contactID)
			return
		}
		fmt.Fprintf(w, `{"errors":[{"code":%d,"message":"%s"}]}`, p.status, http.StatusText(p.status))
	})
	return mux
}

func (m *mautic) patch(r *http.Request, p *patch) int {
	user, password, _ := r.BasicAuth()
	if !same(user, m.user) || !same(password, m.password) {
		return http.StatusUnauthorized
	}
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	dec.UseNumber()
	if err := dec.Decode(&p.fields); err != nil {
		return http.StatusBadRequest
	}
	id, err := strconv.Atoi(p.contactID)
	if err != nil || !m.edit(id, apiUser, texts(p.fields)) {
		return http.StatusNotFound
	}
	return http.StatusOK
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// texts is what PHP makes of JSON: 87.5 becomes "87.5".
func texts(fields map[string]any) map[string]string {
	all := map[string]string{}
	for alias, value := range fields {
		all[alias] = fmt.Sprint(value)
	}
	return all
}
