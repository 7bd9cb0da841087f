package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	trigger     = "mautic.lead_post_save_update"
	contactType = trigger // Hookloop's name of the event: the trigger begins with the provider's name already

	// atOnce is how many rows Mautic sends with one request (webhook_limit).
	atOnce = 10
)

// row is a contact as a webhook shows it, with the time it was queued. A row that is sent again has
// the same bytes.
func (c *contact) row() []byte {
	core := map[string]any{}
	for _, alias := range []string{"firstname", "lastname", "email", "company", "score", "grade"} {
		var value any
		if text, ok := c.fields[alias]; ok {
			value = text
		}
		core[alias] = map[string]any{"alias": alias, "group": "core", "object": "lead", "value": value}
	}
	return phpJSON(map[string]any{
		"contact": map[string]any{
			"id": c.id, "points": 0, "dateModified": stamp(c.modified), "modifiedByUser": c.modifiedBy,
			"fields": map[string]any{"core": core, "social": []any{}, "personal": []any{}, "professional": []any{}},
			"owner":  nil, "tags": []any{},
		},
		"timestamp": stamp(c.modified),
	})
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

// phpJSON writes JSON as PHP's json_encode does: ASCII only, slashes escaped. Read and written
// again by another program it would mean the same and have another signature.
func phpJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // maps, lists and text always encode
	var out []byte
	for _, r := range string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))) {
		switch {
		case r == '/':
			out = append(out, `\/`...)
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
	}
	return out
}

func (m *mautic) wake() {
	select {
	case m.queued <- struct{}{}:
	default: // it will look anyway
	}
}

// cron sends what is queued, as the job mautic:webhooks:process does, until the context ends.
func (m *mautic) cron(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-m.queued:
		}
		m.process(ctx)
	}
}

// process forgets rows once there is an answer, whatever it says: so does Mautic up to 5. Rows
// whose connection broke off stay, and are sent again next time.
func (m *mautic) process(ctx context.Context) {
	for {
		m.mu.Lock()
		rows := m.rows[:min(len(m.rows), atOnce)]
		m.mu.Unlock()
		if len(rows) == 0 || m.send(ctx, rows) != nil {
			return
		}
		m.mu.Lock()
		m.rows = m.rows[len(rows):]
		m.mu.Unlock()
	}
}

func (m *mautic) send(ctx context.Context, rows [][]byte) error {
	body := append([]byte(`{"`+trigger+`":[`), bytes.Join(rows, []byte(","))...)
	body = append(body, "]}"...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.webhookURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(m.secret))
	_, _ = mac.Write(body) // a hash never fails
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Origin-Base-URL", "https://mautic.example.com")
	req.Header.Set("Webhook-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := m.client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
